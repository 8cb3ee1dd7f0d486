import { makeScratch, type Scratch } from '../../../runtime/index.ts';
import type { ItemRow } from '../../../domain/index.ts';
import type { RestoreItem, RestoreScope, TargetSession, WriteResult } from '../../contract.ts';
import type { Mailbox } from '../directory/mailboxes.ts';
import type { Tenant } from '../tenant.ts';
import { eventWriting } from './calendar/eventWriting.ts';
import { contactWriting } from './contacts/contactWriting.ts';
import { MailTarget } from './mail/restore/mailTarget.ts';
import { NoteTarget } from './notes/noteTarget.ts';
import { ItemTarget } from './restore/itemTarget.ts';
import type { ItemWriting } from './restore/partWriting.ts';
import { StreamImport } from './streams/streamImport.ts';
import type { SubTarget, SubTargetFactory, TargetAccess, TargetOptions } from './subTarget.ts';
import { SettingsTarget } from './settings/settingsTarget.ts';
import { taskWriting } from './todo/taskWriting.ts';
import { UNREACHED } from './unreached/unreachedService.ts';

const WRITINGS: readonly ItemWriting[] = [contactWriting, eventWriting, taskWriting];

/** The parts of a mailbox that can be given back. */
const SUB_TARGETS: readonly SubTargetFactory[] = [
  (access, options) => new MailTarget(access, options),
  (access, options) => new NoteTarget(access, options),
  (access, options) => new SettingsTarget(access, options),
  ...WRITINGS.map((writing): SubTargetFactory => (access, options) => new ItemTarget(access, options, writing)),
];

/** Writes into one mailbox: each item goes to the part whose key it has. Sends nothing to anybody. */
export class ExchangeTarget implements TargetSession {
  /** Writes that may run at once. */
  readonly parallel: number;
  readonly #parts: readonly SubTarget[];
  readonly #streamImport: StreamImport;
  #scratch: Promise<Scratch> | undefined;

  constructor(tenant: Tenant, { userId }: Mailbox, options: TargetOptions, factories: readonly SubTargetFactory[] = SUB_TARGETS) {
    const budget = tenant.budget(userId);
    const mailbox = { graph: tenant.graph, path: `/users/${userId}`, budget, runtime: tenant.runtime };
    this.#streamImport = new StreamImport(mailbox, options.tell);
    const access: TargetAccess = { ...mailbox, scratch: async () => await this.#directory(), streamImport: this.#streamImport };
    this.parallel = budget.concurrent;
    // Tag and suffix are of mode 'replace'.
    const { tag: _tag, suffix: _suffix, ...plain } = options;
    this.#parts = factories.map((make) => make(access, options.mode === 'replace' ? options : plain));
  }

  scope({ key }: ItemRow): RestoreScope {
    if (this.#parts.some(({ name }) => key.startsWith(`${name}/`))) return 'given';
    return key.startsWith(`${UNREACHED}/`) ? 'remark' : 'not-yet';
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    const results = new Map<RestoreItem, WriteResult>();
    for (const part of this.#parts) {
      const own = items.filter((item) => this.#partOf(item) === part);
      const planned = own.length === 0 ? [] : await part.plan(own, signal);
      for (const [place, item] of own.entries()) {
        const result = planned[place];
        if (result !== undefined) results.set(item, result);
      }
    }
    return items.map((item) => results.get(item) ?? strange(item));
  }

  async folder(item: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    return await this.#partOf(item).folder(item, signal);
  }

  async reads(item: RestoreItem, signal: AbortSignal): Promise<ItemRow> {
    return await this.#partOf(item).reads?.(item, signal) ?? item.row;
  }

  async write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal, read: ReadOther = unread): Promise<WriteResult> {
    return await this.#partOf(item).write(item, bytes, signal, read);
  }

  async finish(signal: AbortSignal): Promise<void> {
    for (const part of this.#parts) await part.finish(signal);
    await this.#streamImport.finish(signal);
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
    const scratch = this.#scratch;
    this.#scratch = undefined;
    await (await scratch)?.[Symbol.asyncDispose]();
  }

  #partOf(item: RestoreItem): SubTarget {
    return this.#parts.find(({ name }) => item.row.key.startsWith(`${name}/`)) ?? strange(item);
  }

  async #directory(): Promise<string> {
    this.#scratch ??= makeScratch('exchange-restore');
    return (await this.#scratch).path;
  }
}

type ReadOther = (row: ItemRow) => Promise<Uint8Array>;

/** For whoever has no companions. */
function unread(): Promise<Uint8Array> {
  throw new TypeError('an item has no other row that could be read');
}

function strange({ row: { key } }: RestoreItem): never {
  throw new TypeError(`nothing that is given back has the key ${JSON.stringify(key)}`);
}
