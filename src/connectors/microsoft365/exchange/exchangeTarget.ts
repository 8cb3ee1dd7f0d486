import { makeScratch, type Scratch } from '../../../runtime/index.ts';
import type { RestoreItem, TargetSession, WriteResult } from '../../contract.ts';
import type { Mailbox } from '../directory/mailboxes.ts';
import type { Tenant } from '../tenant.ts';
import { MailTarget } from './mail/restore/mailTarget.ts';
import { failed, type SubTarget, type SubTargetFactory, type TargetAccess, type TargetOptions } from './subTarget.ts';

/** The parts of a mailbox that can be given back. */
const SUB_TARGETS: readonly SubTargetFactory[] = [(access, options) => new MailTarget(access, options)];

const NOT_YET = failed('not-given-back', 'This kind of item is not given back into a mailbox so far. Restore it into a folder, or export it.');

/** Writes into one mailbox: each item goes to the part whose key it has. Sends nothing to anybody. */
export class ExchangeTarget implements TargetSession {
  /** Writes that may run at once. */
  readonly parallel: number;
  readonly #parts: readonly SubTarget[];
  #scratch: Promise<Scratch> | undefined;

  constructor(tenant: Tenant, { userId }: Mailbox, options: TargetOptions, factories: readonly SubTargetFactory[] = SUB_TARGETS) {
    const budget = tenant.budget(userId);
    const access: TargetAccess = { graph: tenant.graph, path: `/users/${userId}`, budget, runtime: tenant.runtime, scratch: async () => await this.#directory() };
    this.parallel = budget.concurrent;
    const { mode, folderName } = options;
    this.#parts = factories.map((make) => make(access, mode === 'replace' ? options : { mode, folderName }));
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    const results = new Map<RestoreItem, WriteResult>();
    for (const part of this.#parts) {
      const own = items.filter((item) => this.#partOf(item) === part);
      const planned = own.length === 0 ? [] : await part.plan(own, signal);
      for (const [place, item] of own.entries()) results.set(item, planned[place] ?? NOT_YET);
    }
    return items.map((item) => results.get(item) ?? NOT_YET);
  }

  async folder(item: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    return await this.#partOf(item)?.folder(item, signal) ?? NOT_YET;
  }

  async write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal): Promise<WriteResult> {
    return await this.#partOf(item)?.write(item, bytes, signal) ?? NOT_YET;
  }

  async finish(signal: AbortSignal): Promise<void> {
    for (const part of this.#parts) await part.finish(signal);
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
    const scratch = this.#scratch;
    this.#scratch = undefined;
    await (await scratch)?.[Symbol.asyncDispose]();
  }

  #partOf({ row }: RestoreItem): SubTarget | undefined {
    return this.#parts.find(({ name }) => row.key.startsWith(`${name}/`));
  }

  async #directory(): Promise<string> {
    this.#scratch ??= makeScratch('exchange-restore');
    return (await this.#scratch).path;
  }
}
