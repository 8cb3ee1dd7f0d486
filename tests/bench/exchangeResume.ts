/**
 * Backs up the mail of a mailbox of a simulated tenant of so many items in processes of their own: `exchangeResume.ts ITEMS CONTENTS DIRECTORY`. The first is killed when it has asked for so many
 * contents, the next lists anew, goes on, and is stopped when it has asked for as many again. Prints as JSON what both took.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBackup } from '../../src/backup/index.ts';
import { microsoft365 } from '../../src/connectors/index.ts';
import { ExchangeSource } from '../../src/connectors/microsoft365/exchange/exchangeSource.ts';
import { MAIL_ALONE } from '../../src/connectors/microsoft365/testing/testTenant.ts';
import { Repository } from '../../src/repository/index.ts';
import { systemClock, systemRandom } from '../../src/runtime/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { shortSleep } from '../exchange/tenantBackups.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const key = createHash('sha256').update('operator').digest();

interface Half {
  readonly asked: readonly string[];
  readonly peakMiB: number;
  readonly cpuSeconds: number;
}

async function openRepository(directory: string): Promise<Repository> {
  return await Repository.open(await openStorage(join(directory, 'repository')), key, { cacheDirectory: join(directory, 'cache') });
}

/** What one process does: notes at its end what it asked for, and ends itself as a kill would. */
async function half(settings: microsoft365.Microsoft365Settings, contents: number, directory: string, report: string): Promise<void> {
  const asked: string[] = [];
  const { signal } = new AbortController();
  const tenant = new microsoft365.Tenant(settings, {
    clock: systemClock, sleep: shortSleep, random: systemRandom, onExchange: ({ url }) => {
      if (!url.endsWith('/$value')) return;
      asked.push(url);
      if (asked.length < contents) return;
      const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
      writeFileSync(report, JSON.stringify({ asked, peakMiB: Math.round(maxRSS / 1024), cpuSeconds: Math.round((userCPUTime + systemCPUTime) / 1e6) } satisfies Half));
      process.kill(process.pid, 'SIGKILL');
    },
  });
  let address = '';
  for await (const some of tenant.mailboxes(signal)) for (const mailbox of some) address ||= mailbox.address;
  const source = new ExchangeSource(tenant, await tenant.mailbox(address, signal), 'mime', MAIL_ALONE);
  await runBackup(await openRepository(directory), source, { signal, progress: () => undefined, clock: systemClock, workers: 1 });
}

async function runHalf(settings: string, contents: number, directory: string): Promise<Half> {
  const report = join(directory, 'report.json');
  rmSync(report, { force: true });
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, '--half', settings, String(contents), directory, report], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'close');
  return JSON.parse(readFileSync(report, 'utf8')) as Half;
}

async function both(items: number, contents: number, directory: string): Promise<void> {
  mkdirSync(join(directory, 'repository'));
  await Repository.init(await openStorage(join(directory, 'repository')), key, createHash('sha256').update('recovery').digest(), { cacheDirectory: join(directory, 'cache') });
  const simulator = spawn(process.execPath, [join(ROOT, 'simulators', 'simulate.ts'), 'microsoft365', '--mailboxes', '1', '--items', String(items)], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(simulator.stdout, 'data')) as [Buffer];
    const [first, second] = [await runHalf(line.toString(), contents, directory), await runHalf(line.toString(), contents, directory)];
    const before = new Set(first.asked);
    const again = second.asked.filter((url) => before.has(url)).length;
    console.log(JSON.stringify({ items, contents: first.asked.length + second.asked.length - again, again, peakMiB: Math.max(first.peakMiB, second.peakMiB), cpuSeconds: first.cpuSeconds + second.cpuSeconds }));
  } finally {
    simulator.kill();
  }
}

const [one = '', ...others] = process.argv.slice(2);
if (one === '--half') await half(JSON.parse(others[0] ?? '') as microsoft365.Microsoft365Settings, Number(others[1]), others[2] ?? '', others[3] ?? '');
else await both(Number(one), Number(others[0]), others[1] ?? '');
