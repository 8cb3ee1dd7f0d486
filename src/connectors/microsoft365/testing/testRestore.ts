import type { LoggedRequest } from '../../../../simulators/microsoft365/index.ts';
import { companionKey, isCompanion, type ItemRow } from '../../../domain/index.ts';
import type { SnapshotModel } from '../../conformance.ts';
import type { RestoreItem, TargetSession, WriteResult } from '../../contract.ts';
import { openTarget, type TargetOptions, type Tenant } from '../index.ts';
import type { TestTenant } from './testTenant.ts';

const BATCH = 40;

export interface Restored {
  /** Path -> what became of it, or with a dry run would. */
  readonly results: ReadonlyMap<string, WriteResult>;
  /** Requests that change something, parts of batches among them. */
  readonly writes: readonly LoggedRequest[];
  /** Requests for mails by their ids. */
  readonly looks: readonly LoggedRequest[];
}

export interface RestoreRun {
  readonly address?: string;
  readonly dryRun?: boolean;
  readonly within?: (path: string) => boolean;
  readonly signal?: AbortSignal;
  /** Another way to the same service than the test's own. */
  readonly through?: Tenant;
}

/** Gives a snapshot back as recovery does: folders before what they hold, batches that are planned and then written, some at once. */
export async function giveBack(tenant: TestTenant, snapshot: SnapshotModel, options: Partial<TargetOptions> & Pick<TargetOptions, 'mode'>, run: RestoreRun = {}): Promise<Restored> {
  const { address = tenant.address, signal = new AbortController().signal, through = tenant.tenant } = run;
  const before = tenant.simulator.log.total;
  const session = openTarget(through, await through.mailbox(address, signal), { folderName: 'Restored 2026-01-02', ofAnother: address !== tenant.address, ...options });
  const giving = new Giving(session, snapshot, { ...run, signal });
  try {
    await giving.all();
    if (run.dryRun !== true) await session.finish(signal);
  } finally {
    await session.close();
  }
  if (tenant.breaches.length > 0) throw new Error(tenant.breaches.join('\n'));
  const isWrite = ({ method, url }: LoggedRequest): boolean => method !== 'GET' && !url.includes('oauth2') && !url.endsWith('/$batch');
  const requests = tenant.simulator.requests().filter(({ number }) => number > before);
  return { results: giving.results, writes: requests.filter(isWrite), looks: requests.filter(({ method, url }) => method === 'GET' && /\/messages\/[^/?]+\?/.test(url)) };
}

class Giving {
  readonly results = new Map<string, WriteResult>();
  readonly #session: TargetSession;
  readonly #snapshot: SnapshotModel;
  readonly #run: RestoreRun & { readonly signal: AbortSignal };
  readonly #passed = new Set<string>();

  constructor(session: TargetSession, snapshot: SnapshotModel, run: RestoreRun & { readonly signal: AbortSignal }) {
    this.#session = session;
    this.#snapshot = snapshot;
    this.#run = run;
  }

  async all(): Promise<void> {
    const { within = () => true } = this.#run;
    let rows: ItemRow[] = [];
    for (const row of this.#snapshot.sorted) {
      if (isCompanion(row) || (this.#session.scope?.(row) ?? 'given') !== 'given' || !within(this.#snapshot.pathOf(row))) continue;
      await this.#pass(row.kind === 'folder' ? row.key : row.parent);
      if (row.content !== '' || this.#item(row).companion !== undefined) rows.push(row);
      if (rows.length < BATCH) continue;
      await this.#give(rows);
      rows = [];
    }
    await this.#give(rows);
  }

  async #pass(key: string): Promise<void> {
    const row = this.#snapshot.byKey.get(key);
    if (row === undefined || this.#passed.has(key)) return;
    this.#passed.add(key);
    await this.#pass(row.parent);
    const item = this.#item(row);
    const { dryRun = false, signal } = this.#run;
    const [result = await this.#session.folder(item, signal)] = dryRun ? await this.#session.plan([item], signal) : [];
    this.results.set(this.#snapshot.pathOf(row), result);
  }

  async #give(rows: readonly ItemRow[]): Promise<void> {
    const items = rows.map((row) => this.#item(row));
    const { dryRun = false, signal } = this.#run;
    const planned = await this.#session.plan(items, signal);
    const waiting = [...items.entries()];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [place, item] = next;
        const plan = planned[place] as WriteResult;
        const isWritten = !dryRun && (plan.result === 'written' || plan.result === 'replaced');
        const result = isWritten ? await this.#write(item, signal) : plan;
        this.results.set(`${this.#snapshot.pathOf(item.row)} ${item.row.key}`, result);
      }
    };
    // All have ended before an error goes on upwards: nothing is written behind the test's back.
    for (const ended of await Promise.allSettled(Array.from({ length: this.#session.parallel ?? 1 }, worker))) if (ended.status === 'rejected') throw ended.reason;
  }

  async #write(item: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const bytesOf = (row: ItemRow): Buffer => this.#snapshot.bytesOf(row) ?? Buffer.alloc(0);
    const row = await this.#session.reads?.(item, signal) ?? item.row;
    return await this.#session.write(item, bytesOf(row), signal, (other) => Promise.resolve(bytesOf(other)));
  }

  #item(row: ItemRow): RestoreItem {
    const path: string[] = [];
    for (let above = this.#snapshot.byKey.get(row.parent); above !== undefined; above = this.#snapshot.byKey.get(above.parent)) path.unshift(above.name);
    const companion = this.#snapshot.byKey.get(companionKey(row.key));
    return { row, path, ...(companion !== undefined && companion.content !== '' && companion.outcome === '' ? { companion } : {}) };
  }
}

/** How many of the results there are of each kind; folders apart. `items`: what the keys of the items begin with. */
export function counts({ results }: Restored, items = 'mail/m/'): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const [path, { result }] of results) if (path.includes(` ${items}`)) counted[result] = (counted[result] ?? 0) + 1;
  return counted;
}
