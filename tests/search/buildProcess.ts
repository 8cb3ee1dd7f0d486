/**
 * Searches a repository in a process of its own: `node buildProcess.ts <repository> <cache> <word> [stop]`. Prints a line of JSON for each batch
 * that was indexed and for a wait, and at last how many hits there were; with `stop` it waits after the first batch to be killed.
 */
import { searchEntities } from '../../src/recovery/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { OPERATOR_KEY, searchOfMail } from './mailRepository.ts';

const [path = '', cacheDirectory = '', words = '', stop] = process.argv.slice(2);
const say = (line: object): void => console.log(JSON.stringify(line));

const repository = await Repository.open(await FileStorage.open(path), OPERATOR_KEY, { cacheDirectory });
const snapshots = (await repository.snapshots()).map(({ manifest }) => manifest);
const { hits, gaps } = await searchEntities(repository, [{ snapshots, search: searchOfMail }], {
  query: { words }, limit: 1000, index: true, signal: new AbortController().signal,
  progress: (event) => {
    if (event.type === 'progress' && event.stage === 'index') {
      say({ indexed: event.items });
      if (stop !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000);
    }
    if (event.type === 'waiting') say({ waiting: event.for });
  },
});
say({ hits: hits.length, gaps: gaps.length });
