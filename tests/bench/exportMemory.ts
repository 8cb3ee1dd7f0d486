/** Exports what backupMemory.ts made in a directory and tells its peak memory: `node tests/bench/exportMemory.ts FORMAT DIRECTORY`. */
import { descriptor } from '../../src/connectors/imap/index.ts';
import { exportSnapshot, type ExportFormat } from '../../src/recovery/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { systemRandom } from '../../src/runtime/index.ts';
import { FileSink, FileStorage } from '../../src/storage/index.ts';

const [format = '', directory = ''] = process.argv.slice(2);
const storage = await FileStorage.open(`${directory}/repository`, systemRandom);
const repository = await Repository.open(storage, Buffer.alloc(32, 1), { cacheDirectory: `${directory}/cache` });
const [stored] = await repository.snapshots();
if (!stored) throw new Error('there is no snapshot');
const { items, missing, parts } = await exportSnapshot(repository, stored.manifest, {
  sink: new FileSink(`${directory}/${format}`), format: format as ExportFormat, descriptor, partSize: 5e9,
  signal: new AbortController().signal, progress: () => undefined,
});
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
process.stdout.write(JSON.stringify({ items, missing, parts: parts.length, peakMiB: Math.round(maxRSS / 1024), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }));
