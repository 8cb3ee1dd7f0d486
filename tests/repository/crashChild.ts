/** What the crash test kills: `node crashChild.ts <address> <cache> <key> <job as JSON>`. Says 'ready' before it starts and 'done' at its end. */
import { runBackup } from '../../src/backup/index.ts';
import { prune, rebuild, Repository } from '../../src/repository/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { TreeSource, type Tree } from './tree.ts';

export type CrashJob =
  | { readonly kind: 'backup'; readonly entity: string; readonly tree: [string, { content: string; size: number }][] }
  | { readonly kind: 'prune'; readonly keepLast: number; readonly graceMs: number }
  | { readonly kind: 'rebuild' };

/** New packed bytes between two checkpoints: small trees must have some. */
const CHECKPOINT_BYTES = 1;

export async function runJob(repository: Repository, job: CrashJob): Promise<void> {
  if (job.kind === 'prune') await prune(repository, { keepLast: job.keepLast }, { graceMs: job.graceMs });
  else if (job.kind === 'rebuild') await rebuild(repository);
  else {
    const tree: Tree = new Map(job.tree);
    await runBackup(repository, new TreeSource(job.entity, tree), {
      signal: new AbortController().signal, progress: () => {}, clock: systemClock, workers: 1, checkpointBytes: CHECKPOINT_BYTES,
    });
  }
}

if (import.meta.main) {
  const [url = '', cacheDirectory = '', key = '', job = ''] = process.argv.slice(2);
  const repository = await Repository.open(await openStorage(url), Buffer.from(key, 'hex'), { cacheDirectory });
  process.stdout.write('ready\n');
  await runJob(repository, JSON.parse(job) as CrashJob);
  process.stdout.write('done\n');
}
