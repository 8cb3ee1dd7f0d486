import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedRequest } from '../../simulators/microsoft365/index.ts';
import { check } from '../../src/repository/index.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { seededNumbers } from '../repository/seeded.ts';
import { ScratchRepository } from '../roundTrip/scratchRepository.ts';
import type { BackupJob } from './backupChild.ts';
import { firstDifference, settingsOf, TenantBackups, wholeSnapshot } from './tenantBackups.ts';

const CHILD_MS = 1_800_000;

export interface KilledBackup {
  readonly kills: number;
  /** Requests for contents, of a run without a kill and of all killed runs and the last one together. */
  readonly clean: number;
  readonly asked: number;
  /** Contents that one kill made the next run ask for again, at most. */
  readonly mostAgain: number;
  /** Requests that list, of each run. */
  readonly listing: number;
}

const isContent = ({ url }: LoggedRequest): boolean => url.endsWith('/$value');

/**
 * Backs up a mailbox in a process of its own that is killed in the middle of so many requests, at random ones, and counts what each next run asks for again.
 * Of contents that is at most what a kill may cost: those asked for at once, and less than half as many before them.
 */
export async function killedBackup(directory: string, { items, page, kills, seed }: { items: number; page: number; kills: number; seed: number }): Promise<KilledBackup> {
  await using tenant = await TenantBackups.start({ mailboxes: 1, items });
  const calm = await tenant.repository();
  const clean = await tenant.backUp(calm);
  const contents = new Set(clean.requests.filter(isContent).map(({ url }) => url));
  await mkdir(join(directory, 'repository'));
  using scratch = await ScratchRepository.make(await FileStorage.open(join(directory, 'repository')));
  const job: BackupJob = {
    url: join(directory, 'repository'), cacheDirectory: scratch.path('cache'), key: createHash('sha256').update('operator').digest('hex'),
    settings: settingsOf(tenant.simulator), address: tenant.simulator.mailboxes[0] ?? '', page,
  };
  const next = seededNumbers(seed);
  const seen = new Set<string>();
  let [asked, mostAgain, struck] = [0, 0, 0];
  for (let run = 0; seen.size < contents.size || run <= kills; run++) {
    assert.ok(run <= kills, `run ${run} (seed ${seed}) did not ask for all contents`);
    const before = tenant.simulator.log.total;
    // Never beyond what is left, or the run ends before it is killed.
    const after = run === kills ? Infinity : Math.floor(next() * ((contents.size - seen.size) / (kills - run)));
    if (await runAndKill(tenant, job, after)) struck++;
    const mine = tenant.simulator.requests().filter((request) => request.number > before && isContent(request)).map(({ url }) => url);
    const again = mine.filter((url) => seen.has(url)).length;
    assert.ok(again < page * 1.5, `run ${run} (seed ${seed}) asked for ${again} contents again, of ${page} at once`);
    mostAgain = Math.max(mostAgain, again);
    asked += mine.length;
    for (const url of mine) seen.add(url);
  }
  assert.equal(struck, kills);
  const [last, ...others] = await scratch.repository.snapshots();
  assert.ok(last !== undefined && others.length === 0);
  assert.equal(firstDifference(await wholeSnapshot(calm, clean.manifest), await wholeSnapshot(scratch, last.manifest)), undefined);
  assert.deepEqual((await check(scratch.repository, { workers: 1 })).errors, []);
  return { kills, clean: contents.size, asked, mostAgain, listing: clean.requests.filter(({ batched, url }) => !batched && /\/delta\b|\?/.test(url)).length };
}

/** True where it was killed. */
async function runAndKill(tenant: TenantBackups, job: BackupJob, after: number): Promise<boolean> {
  let isKilled = false;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'backupChild.ts'), JSON.stringify(job)], {
    stdio: ['ignore', 'ignore', 'inherit'], timeout: CHILD_MS, killSignal: 'SIGKILL',
  });
  const kill = (): void => {
    isKilled = true;
    child.kill('SIGKILL');
  };
  const back = Number.isFinite(after) ? tenant.simulator.fault({ on: '$value', after, times: 1, fault: { kind: 'do', action: kill } }) : undefined;
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  back?.();
  assert.ok(isKilled || code === 0, `the backup ended with ${code}`);
  return isKilled;
}
