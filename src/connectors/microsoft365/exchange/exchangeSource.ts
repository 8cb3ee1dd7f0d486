import type { Entity } from '../../../domain/index.ts';
import { makeScratch, ResultQueue } from '../../../runtime/index.ts';
import type { EnumerateContext, FetchContext, Fetched, SourceChange, SourceItem, SourceSession } from '../../contract.ts';
import type { Mailbox } from '../directory/mailboxes.ts';
import type { Tenant } from '../tenant.ts';
import { SERVICE } from './descriptor.ts';
import { MailService } from './mail/mailService.ts';
import { ownsKey, type MailboxAccess, type SubService, type SubServiceFactory } from './subService.ts';

/** All parts of a mailbox. */
const SUB_SERVICES: readonly SubServiceFactory[] = [(access) => new MailService(access)];

/** Contents that wait for the consumer. */
const QUEUED_BYTES = 24 << 20;

export function entityOf({ userId, address }: Mailbox): Entity {
  return { id: `${SERVICE}:${userId}`, service: SERVICE, name: address };
}

/** Reads one mailbox: its parts one after the other, in the order of their keys. */
export class ExchangeSource implements SourceSession {
  readonly entity: Entity;
  readonly #tenant: Tenant;
  readonly #userId: string;
  readonly #services: readonly SubService[];
  readonly #slots: number;
  #ended = false;

  constructor(tenant: Tenant, mailbox: Mailbox) {
    this.entity = entityOf(mailbox);
    this.#tenant = tenant;
    this.#userId = mailbox.userId;
    const budget = tenant.budget(mailbox.userId);
    const access: MailboxAccess = { graph: tenant.graph, path: `/users/${mailbox.userId}`, budget, runtime: tenant.runtime };
    this.#slots = budget.concurrent;
    this.#services = SUB_SERVICES.map((make) => make(access)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async *enumerate(context: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    this.#ended = false;
    context.signal.throwIfAborted();
    this.#tenant.tellWaits(this.#userId, context.progress);
    const parts = parseCursor(context.cursor);
    await using scratch = await makeScratch('exchange');
    for (const service of this.#services) {
      const { previous, signal, progress } = context;
      yield* service.enumerate({ cursor: parts[service.name], previous, signal, progress, scratch: scratch.path });
    }
    this.#ended = true;
  }

  cursor(): string | undefined {
    if (!this.#ended) return undefined;
    return JSON.stringify({ version: 1, parts: Object.fromEntries(this.#services.map((service) => [service.name, service.cursor()])) });
  }

  /** As many at once as the service permits. */
  async *fetch(items: readonly SourceItem[], context: FetchContext): AsyncGenerator<Fetched> {
    const queue = new ResultQueue<Fetched>(QUEUED_BYTES);
    const stop = new AbortController();
    const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
    const waiting = [...items].reverse();
    const worker = async (): Promise<void> => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
        const fetched = await this.#serviceOf(item).fetch(item, inner);
        await queue.push(fetched, ('bytes' in fetched ? fetched.bytes.length : 0) + 1024);
      }
    };
    const workers = Promise.all(Array.from({ length: Math.min(this.#slots, items.length) }, worker))
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

/** No parts for text that is no cursor of ours: then everything is listed again. */
function parseCursor(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  try {
    const { version, parts } = JSON.parse(text) as { version?: unknown; parts?: unknown };
    return version === 1 && typeof parts === 'object' && parts !== null ? parts as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
