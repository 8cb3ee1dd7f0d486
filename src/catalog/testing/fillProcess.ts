/**
 * Fills a catalog in a process of its own: `node fillProcess.ts <directory> <snapshots> [stop]`. Prints how many
 * snapshots it added; with `stop`, prints 'halfway' in the middle of the last one and waits to be killed.
 */
import { Catalog } from '../catalog.ts';
import { followSnapshots } from '../followSnapshots.ts';
import { batches, changesBetween } from './model.ts';
import { generated } from './generated.ts';

const [directory = '', count = '0', stop] = process.argv.slice(2);
const snapshots = generated(Number(count));
const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));

async function* changes(from: string | undefined, to: string) {
  const wanted = byId.get(to)?.state ?? new Map();
  const all = changesBetween(from === undefined ? undefined : byId.get(from)?.state, wanted);
  for await (const batch of batches(all, 100)) {
    yield batch;
    if (stop !== undefined && to === snapshots.at(-1)?.id) {
      console.log('halfway');
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    }
  }
}

const catalog = await Catalog.open({ directory, entity: 'test', generation: '1' });
const added = await followSnapshots(catalog, { snapshots, changes });
await catalog.close();
console.log(JSON.stringify({ added }));
