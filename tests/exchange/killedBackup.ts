import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedRequest } from '../../simulators/microsoft365/index.ts';
import type { microsoft365 } from '../../src/connectors/index.ts';
import { check } from '../../src/repository/index.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { seededNumbers } from '../repository/seeded.ts';
import { ScratchRepository } from '../roundTrip/scratchRepository.ts';
import type { BackupJob } from './backupChild.ts';
import { firstDifference, settingsOf, TenantBackups, wholeSnapshot } from './tenantBackups.ts';

const CHILD_MS = 1_800_000;

export interface KilledBackup {
  readonly kills: number;
  /** Contents that were asked for: by a run without a kill, and by all killed runs and the last one together. */
  readonly clean: number;
  readonly asked: number;
  /** Contents that one kill made the next run ask for again, at most. */
  readonly mostAgain: number;
  /** Requests that list, of each run. */
  readonly listing: number;
}

export interface KilledBackupOptions {
  readonly items: number;
  readonly page: number;
  readonly kills: number;
  readonly seed: number;
  readonly fidelity: microsoft365.Fidelity;
}

/** The contents that a request asks for, streams among them: what belongs to an item, such as an attachment, counts with it. */
function contentsOf({ method, route = '', url, exported, batched }: LoggedRequest): readonly string[] {
  if (exported.length > 0) return exported.map((id) => `stream ${id}`);
  if (method !== 'GET' || batched || !/\/(messages|events|contacts|tasks)\/\{/.test(route)) return [];
  return [/^.*?\/(messages|events|contacts|tasks)\/[^/?]+/.exec(url)?.[0] ?? url];
}

const allContents = (requests: readonly LoggedRequest[]): ReadonlySet<string> => new Set(requests.flatMap(contentsOf));

/**
 * Backs up a mailbox in a process of its own that is killed in the middle of so many requests, at random ones, and counts what each next run asks for again: of
 * contents no more than the page that a kill may cost, however much the run had fetched.
 */
export async function killedBackup(directory: string, { items, page, kills, seed, fidelity }: KilledBackupOptions): Promise<KilledBackup> {
  await using tenant = await TenantBackups.start({ mailboxes: 1, items, fidelity });
  const calm = await tenant.repository();
  const clean = await tenant.backUp(calm);
  const contents = allContents(clean.requests);
  await mkdir(join(directory, 'repository'));
  using scratch = await ScratchRepository.make(await FileStorage.open(join(directory, 'repository')));
  const job: BackupJob = {
    url: join(directory, 'repository'), cacheDirectory: scratch.path('cache'), key: createHash('sha256').update('operator').digest('hex'),
    settings: settingsOf(tenant.simulator), address: tenant.simulator.mailboxes[0] ?? '', page, fidelity,
  };
  const seen = new Set<string>();
  const next = seededNumbers(seed);
  let [asked, mostAgain, struck] = [0, 0, 0];
  for (let run = 0; run <= kills; run++) {
    const before = tenant.simulator.log.total;
    // Never beyond what is left, or the run ends before it is killed.
    const mails = [...contents].filter((name) => name.includes('/messages/') && !seen.has(name)).length;
    if (await runAndKill(tenant, job, run === kills ? Infinity : Math.floor(next() * (mails / (kills - run))))) struck++;
    const mine = allContents(tenant.simulator.requests().filter((request) => request.number > before));
    const again = [...mine].filter((name) => seen.has(name)).length;
    assert.ok(again <= page, `run ${run} (seed ${seed}) asked for ${again} contents again, of a page of ${page}`);
    mostAgain = Math.max(mostAgain, again);
    asked += mine.size;
    for (const name of mine) seen.add(name);
  }
  assert.deepEqual([struck, seen.size], [kills, contents.size], `seed ${seed}`);
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
