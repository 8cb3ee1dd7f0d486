/**
 * `node tests/bench/s3Throughput.ts [MEGABYTES] [ROUNDS]`: backs up the same generated items into a folder and into a bucket of
 * a service on this machine, in turn, and prints the ratio of their speeds (medians) and the requests for each gigabyte stored.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runBackup } from '../../src/backup/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { systemClock, systemRandom } from '../../src/runtime/index.ts';
import { FileStorage, type Storage } from '../../src/storage/index.ts';
import { CountingStorage } from '../../src/storage/trial/index.ts';
import { S3Place } from '../repository/s3Place.ts';
import { inScratch } from '../scale/runNode.ts';
import { startCeph } from '../servers/ceph.ts';
import { S3Proxy } from '../servers/s3Proxy.ts';
import { SyntheticSource } from '../sources/syntheticSource.ts';

export interface Throughput {
  readonly megabytes: number;
  /** Of source data a second, medians of the rounds. */
  readonly fileMBs: number;
  readonly s3MBs: number;
  /** s3 / file. */
  readonly ratio: number;
  readonly peakMiB: number;
  readonly storedMB: number;
  /** Requests for each GB stored, by kind. */
  readonly requestsPerGB: Readonly<Record<string, number>>;
}

const ITEM_BYTES = 20_000;

interface Timed {
  readonly seconds: number;
  readonly storedBytes: number;
}

async function backUp(inner: Storage, directory: string, items: number): Promise<Timed> {
  const storage = new CountingStorage(inner);
  const repository = await Repository.init(storage, Buffer.alloc(32, 1), Buffer.alloc(32, 2), { cacheDirectory: join(directory, `cache-${systemRandom(6).toString('hex')}`) });
  const source = new SyntheticSource({ items, folders: Math.ceil(items / 500), bytes: ITEM_BYTES });
  const started = performance.now();
  const { status } = await runBackup(repository, source, { signal: new AbortController().signal, progress: () => undefined, clock: systemClock });
  if (status !== 'complete') throw new Error(`the backup is ${status}`);
  return { seconds: (performance.now() - started) / 1000, storedBytes: storage.counts.put.bytes };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function measure(megabytes: number, rounds: number, directory: string): Promise<Throughput> {
  const items = Math.ceil((megabytes * 1e6) / ITEM_BYTES);
  const server = await startCeph();
  const proxy = await S3Proxy.start(server);
  try {
    const bucket = await server.makeBucket();
    const place = new S3Place(server, bucket);
    const times = { file: [] as number[], s3: [] as number[] };
    // The first of each warms up.
    for (let round = 0; round <= rounds; round++) {
      const folder = join(directory, `file-${round}`);
      await mkdir(folder);
      const file = await backUp(await FileStorage.open(folder), directory, items);
      const s3 = await backUp(await place.fresh(), directory, items);
      if (round === 0) continue;
      times.file.push(file.seconds);
      times.s3.push(s3.seconds);
    }
    // Counting takes time of its own, so it is a run apart.
    const { storedBytes } = await backUp(await new S3Place(server, await server.makeBucket(), proxy.endpoint).fresh(), join(directory, 'counted'), items);
    const [fileMBs, s3MBs] = [times.file, times.s3].map((seconds) => megabytes / median(seconds)) as [number, number];
    return {
      megabytes, fileMBs, s3MBs, ratio: s3MBs / fileMBs, storedMB: storedBytes / 1e6,
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      requestsPerGB: Object.fromEntries([...proxy.counts].map(([kind, count]) => [kind, Math.round((count * 1e9) / storedBytes)])),
    };
  } finally {
    await proxy.stop();
    await server.stop();
  }
}

if (import.meta.main) {
  const [megabytes = 500, rounds = 3] = process.argv.slice(2).map(Number);
  process.stdout.write(`${JSON.stringify(await inScratch((directory) => measure(megabytes, rounds, directory)))}\n`);
}
