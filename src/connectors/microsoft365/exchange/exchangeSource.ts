import { isCompanion, type Entity, type HoldfastError, type Outcome } from '../../../domain/index.ts';
import { makeScratch, ResultQueue } from '../../../runtime/index.ts';
import type { EnumerateContext, FetchContext, Fetched, SourceChange, SourceItem, SourceSession } from '../../contract.ts';
import type { Mailbox } from '../directory/mailboxes.ts';
import { hasCode, isUnknownPath } from '../graph/graphErrors.ts';
import type { Cloud } from '../settings.ts';
import type { Tenant } from '../tenant.ts';
import { SERVICE } from './descriptor.ts';
import { calendarPlan } from './calendar/calendarPlan.ts';
import { contactsPlan } from './contacts/contactsPlan.ts';
import { FolderedService, type FolderedPlan } from './items/folderedService.ts';
import { MailService } from './mail/mailService.ts';
import { notesPlan } from './notes/notesPlan.ts';
import { RunEffort } from './effort.ts';
import { ListedPart } from './listedPart.ts';
import { PartProgress } from './partProgress.ts';
import { SettingsService } from './settings/settingsService.ts';
import type { Fidelity } from './streams/fidelity.ts';
import { Streams } from './streams/streams.ts';
import { gapKey, ownsKey, type MailboxAccess, type SubService, type SubServiceFactory } from './subService.ts';
import { tasksPlan } from './todo/tasksPlan.ts';
import { UnreachedService } from './unreached/unreachedService.ts';

const PLANS: readonly FolderedPlan[] = [calendarPlan, contactsPlan, notesPlan, tasksPlan];

/** All parts of a mailbox. */
const SUB_SERVICES: readonly SubServiceFactory[] = [
  (access) => new MailService(access), (access) => new SettingsService(access), (access) => new UnreachedService(access),
  ...PLANS.map((plan): SubServiceFactory => (access) => new FolderedService(access, plan)),
];

/** Contents that wait for the consumer. */
const QUEUED_BYTES = 24 << 20;

export function entityOf({ userId, address }: Mailbox): Entity {
  return { id: `${SERVICE}:${userId}`, service: SERVICE, name: address };
}

/**
 * Reads one mailbox: all its parts are listed first, so that it is known how much there is, then their changes are given one part after the other, in the
 * order of their keys. A part that cannot be read is named as missing, and what the previous snapshot has of it stays; only where none can be read the run fails.
 */
export class ExchangeSource implements SourceSession {
  readonly entity: Entity;
  readonly #tenant: Tenant;
  readonly #userId: string;
  readonly #services: readonly SubService[];
  readonly #streams: Streams;
  readonly #slots: number;
  /** Parts of the cursor of sub-services that could not be read. */
  readonly #gaps = new Map<string, unknown>();
  #ended = false;
  /** Told how far the run is; undefined where nobody listens. */
  #effort: { readonly run: RunEffort; tell(): void } | undefined;
  readonly #spent: () => number;

  constructor(tenant: Tenant, mailbox: Mailbox, fidelity: Fidelity, factories: readonly SubServiceFactory[] = SUB_SERVICES) {
    this.entity = entityOf(mailbox);
    this.#tenant = tenant;
    this.#userId = mailbox.userId;
    const budget = tenant.budget(mailbox.userId);
    const plain: MailboxAccess = { graph: tenant.graph, path: `/users/${mailbox.userId}`, budget, runtime: tenant.runtime };
    this.#streams = new Streams(plain, fidelity);
    const access = { ...plain, streams: this.#streams };
    this.#slots = budget.concurrent;
    this.#spent = () => budget.granted;
    this.#services = factories.map((make) => make(access)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async *enumerate(context: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    this.#ended = false;
    this.#gaps.clear();
    context.signal.throwIfAborted();
    this.#tenant.tellWaits(this.#userId, context.progress);
    const { parts, exportBase } = parseCursor(context.cursor);
    this.#streams.begin(exportBase);
    await using scratch = await makeScratch('exchange');
    const run = new RunEffort(this.#services, this.#spent, this.#streams.fidelity);
    this.#effort = { run, tell: () => context.effort?.(run.now) };
    const counted = new PartProgress(context, run);
    const listed: ListedPart[] = [];
    try {
      for (const service of this.#services) {
        const { previous, signal } = context;
        listed.push(await ListedPart.list(service, { cursor: parts[service.name], previous, signal, scratch: scratch.path, ...counted.next(service) }));
      }
      run.begin();
      this.#effort.tell();
      for (const part of listed) yield* this.#part(part);
    } finally {
      for (const part of listed) await part.close();
    }
    this.#ended = true;
  }

  async *#part(part: ListedPart): AsyncGenerator<readonly SourceChange[]> {
    const { service, context, error } = part;
    const key = gapKey(service);
    const late: SourceChange[] = [];
    for await (const rows of context.previous.rows(key)) for (const row of rows) late.push({ type: 'removed', key: row.key });
    if (error !== undefined) {
      this.#gaps.set(service.name, context.cursor);
      if (this.#services.every(({ name, isRemark }) => isRemark === true || this.#gaps.has(name))) throw error;
      const item = { key, parent: '', name: `All of ${service.title}`, kind: service.kind, size: 0, modified: null, change: '', meta: '' };
      yield [{ type: 'exception', item, outcome: gapOutcome(service, error, this.#tenant.cloud) }];
      return;
    }
    for await (const changes of part.changes()) {
      if (late.length > 0) yield late.splice(0);
      this.#effort?.run.given(service, changes);
      this.#effort?.tell();
      yield changes;
    }
    if (late.length > 0) yield late;
  }

  cursor(): string | undefined {
    if (!this.#ended) return undefined;
    const parts = this.#services.map((service) => [service.name, this.#gaps.has(service.name) ? this.#gaps.get(service.name) : service.cursor()]);
    return JSON.stringify({ version: 1, parts: Object.fromEntries(parts) as Record<string, unknown>, exportBase: this.#streams.base });
  }

  /** As many at once as the service permits. */
  async *fetch(items: readonly SourceItem[], context: FetchContext): AsyncGenerator<Fetched> {
    const queue = new ResultQueue<Fetched>(QUEUED_BYTES);
    const stop = new AbortController();
    const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
    const waiting = this.#asks(items).reverse();
    const worker = async (): Promise<void> => {
      for (let ask = waiting.pop(); ask !== undefined; ask = waiting.pop()) {
        for (const fetched of await ask(inner)) await queue.push(fetched, ('bytes' in fetched ? fetched.bytes.length : 0) + 1024);
      }
    };
    const workers = Promise.all(Array.from({ length: Math.min(this.#slots, waiting.length) }, worker))
      .then(() => queue.end(), (error: unknown) => {
        queue.end(error);
        stop.abort(error);
      });
    try {
      yield* queue;
    } finally {
      stop.abort(new Error('nobody takes the contents any more'));
      await workers;
    }
  }

  /** What gives the contents: of each item, or of several together where the service can. */
  #asks(items: readonly SourceItem[]): ((context: FetchContext) => Promise<readonly Fetched[]>)[] {
    const byService = new Map<SubService, SourceItem[]>();
    const streams = this.#streams.portions(items.filter(isCompanion)).map((some) => async (context: FetchContext) => {
      const fetched = await this.#streams.fetch(some, context);
      const [first] = some;
      if (first !== undefined) this.#effort?.run.fetched(this.#serviceOf(first), some);
      this.#effort?.tell();
      return fetched;
    });
    for (const item of items) {
      if (isCompanion(item)) continue;
      const service = this.#serviceOf(item);
      const own = byService.get(service);
      if (own === undefined) byService.set(service, [item]);
      else own.push(item);
    }
    const others = [...byService].flatMap(([service, own]) => chunks(own, service.together ?? 1).map((some) => async (context: FetchContext) => {
      const fetched = service.fetchTogether === undefined ? await Promise.all(some.map((item) => service.fetch(item, context))) : await service.fetchTogether(some, context);
      this.#effort?.run.fetched(service, some);
      this.#effort?.tell();
      return fetched;
    }));
    return [...others, ...streams];
  }

  #serviceOf(item: SourceItem): SubService {
    const service = this.#services.find((one) => ownsKey(one, item.key));
    if (service === undefined) throw new TypeError(`no part of a mailbox has the key ${JSON.stringify(item.key)}`);
    return service;
  }

  close(): Promise<void> {
    this.#tenant.tellWaits(this.#userId, undefined);
    return Promise.resolve();
  }
}

function gapOutcome({ title, isOfSomeClouds }: SubService, error: HoldfastError, cloud: Cloud): Outcome {
  const { message } = error;
  if (hasCode(error, 'no-permission')) return { state: 'failed', code: 'no-permission', message };
  const isNotOffered = isUnknownPath(error) || (cloud !== 'global' && hasCode(error, 'refused', 'not-found'));
  if (isOfSomeClouds === true && isNotOffered) {
    return { state: 'skipped', code: 'not-offered', message: `${title} are not offered to applications by this cloud of Microsoft 365: ${message}` };
  }
  return { state: 'failed', code: 'part-unreadable', message };
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, place) => list.slice(place * size, (place + 1) * size));
}

/** No parts for text that is no cursor of ours: then everything is listed again. */
function parseCursor(text: string | undefined): { readonly parts: Readonly<Record<string, unknown>>; readonly exportBase: string } {
  const none = { parts: {}, exportBase: '' };
  if (text === undefined) return none;
  try {
    const { version, parts, exportBase } = JSON.parse(text) as { version?: unknown; parts?: unknown; exportBase?: unknown };
    if (version !== 1 || typeof parts !== 'object' || parts === null) return none;
    return { parts: parts as Record<string, unknown>, exportBase: typeof exportBase === 'string' ? exportBase : '' };
  } catch {
    return none;
  }
}
