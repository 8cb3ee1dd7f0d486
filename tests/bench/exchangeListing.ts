/**
 * Lists one mailbox of a simulated tenant of so many items, fetches nothing, and prints what it took as JSON: `exchangeListing.ts ITEMS`. The simulator runs
 * in a process of its own, so memory is that of the product alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { microsoft365 } from '../../src/connectors/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const items = Number(process.argv[2] ?? 10_000);
const simulator = spawn(process.execPath, [join(ROOT, 'simulators', 'simulate.ts'), 'microsoft365', '--mailboxes', '1', '--items', String(items)], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = (await once(simulator.stdout, 'data')) as [Buffer];
  const { signal } = new AbortController();
  const tenant = new microsoft365.Tenant(JSON.parse(line.toString()) as microsoft365.Microsoft365Settings);
  let address = '';
  for await (const some of tenant.mailboxes(signal)) for (const mailbox of some) address ||= mailbox.address;
  const source = microsoft365.openSource(tenant, await tenant.mailbox(address, signal), 'mime');
  const previous = { async* rows(): AsyncGenerator<never[]> { yield []; } };
  let listed = 0;
  let last = '';
  for await (const changes of source.enumerate({ cursor: undefined, previous, signal, progress: () => undefined })) {
    for (const change of changes) {
      if (change.type !== 'item') continue;
      if (change.item.key <= last) throw new Error('keys go backwards');
      last = change.item.key;
      listed++;
    }
  }
  await source.close();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(JSON.stringify({ items, listed, peakMiB: Math.round(maxRSS / 1024), cpuSeconds: Math.round((userCPUTime + systemCPUTime) / 1e6) }));
} finally {
  simulator.kill();
}
