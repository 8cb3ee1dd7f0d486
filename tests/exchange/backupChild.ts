/** What the proof of kills kills: `node backupChild.ts <job as JSON>` backs up the first mailbox of a tenant into a repository. Says 'done' at its end. */
import { runBackup } from '../../src/backup/index.ts';
import { microsoft365 } from '../../src/connectors/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { systemClock, systemRandom } from '../../src/runtime/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { shortSleep } from './tenantBackups.ts';

export interface BackupJob {
  readonly url: string;
  readonly cacheDirectory: string;
  /** Hex. */
  readonly key: string;
  readonly settings: microsoft365.Microsoft365Settings;
  readonly address: string;
  readonly page: number;
  readonly fidelity: microsoft365.Fidelity;
}

const { url, cacheDirectory, key, settings, address, page, fidelity } = JSON.parse(process.argv[2] ?? '') as BackupJob;
const { signal } = new AbortController();
const repository = await Repository.open(await openStorage(url), Buffer.from(key, 'hex'), { cacheDirectory });
const tenant = new microsoft365.Tenant(settings, { clock: systemClock, sleep: shortSleep, random: systemRandom });
const source = microsoft365.openSource(tenant, await tenant.mailbox(address, signal), fidelity);
await runBackup(repository, source, { signal, progress: () => undefined, clock: systemClock, workers: 1, page });
await source.close();
process.stdout.write('done\n');
