/** Backs up so many synthetic items into a directory and tells its peak memory: `node tests/bench/backupMemory.ts ITEMS DIRECTORY`. */
import { mkdirSync } from 'node:fs';
import { runBackup } from '../../src/backup/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { systemClock, systemRandom } from '../../src/runtime/index.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { SyntheticSource } from '../sources/syntheticSource.ts';

const [items = '', directory = ''] = process.argv.slice(2);
mkdirSync(`${directory}/repository`);
const storage = await FileStorage.open(`${directory}/repository`, systemRandom);
const key = Buffer.alloc(32, 1);
const repository = await Repository.init(storage, key, Buffer.alloc(32, 2), { cacheDirectory: `${directory}/cache` });
const source = new SyntheticSource({ items: Number(items), folders: Math.ceil(Number(items) / 1000) });
const trace: number[] = [];
const timer = setInterval(() => trace.push(Math.round(process.memoryUsage.rss() / 2 ** 20)), 1000);
const manifest = await runBackup(repository, source, { signal: new AbortController().signal, progress: () => undefined, clock: systemClock });
clearInterval(timer);
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
process.stdout.write(JSON.stringify({
  items: manifest.counts.items, status: manifest.status, peakMiB: Math.round(maxRSS / 1024), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, trace,
}));
