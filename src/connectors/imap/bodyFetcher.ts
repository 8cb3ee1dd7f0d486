import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isHoldfastError, type Outcome } from '../../domain/index.ts';
import { ResultQueue } from '../../runtime/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../contract.ts';
import type { ConnectionPool } from './connectionPool.ts';
import type { ImapConnection } from './imapConnection.ts';
import { messageNumbers } from './itemKeys.ts';
import { ensureMailbox, existingUids, uidFetch } from './mailboxCommands.ts';
import { readMessage } from './messageItem.ts';
import { fetchPatiently } from './patientFetch.ts';
import { formatUidSet } from './uidSet.ts';

/** Larger contents go to a file, in pieces. */
const IN_MEMORY = 8 << 20;
const PIECE = 4 << 20;
/** One FETCH: what is lost and asked again when the connection breaks, and what one connection keeps busy with. */
const JOB_BYTES = 4 << 20;
const JOB_ITEMS = 200;
/** Results that wait for the consumer. */
const QUEUED_BYTES = 24 << 20;

interface Job {
  readonly path: string | undefined;
  readonly folder: number;
  readonly uidValidity: number;
  /** By UID; whoever is delivered is taken out. */
  readonly remaining: Map<number, SourceItem>;
}

const VANISHED: Outcome = {
  state: 'skipped', code: 'vanished', message: 'The mail was deleted or moved while the run went on.',
};
const RENUMBERED: Outcome = {
  state: 'failed', code: 'renumbered',
  message: 'The server numbered the folder anew while the run went on; the next run gets the mail.',
};

const notGiven = (why: string): Outcome => failed('unreadable', `The server does not give this mail: ${why}`);

/** Few servers send the code NONEXISTENT with it. */
const GONE = /nonexistent|doesn't exist|does not exist|no such|unknown mailbox|not found/i;

const failed = (code: string, message: string): Outcome => ({ state: 'failed', code, message });

/** Gets contents over as many connections as the pool lends. */
export class BodyFetcher {
  /** Folders with contents that could not be had. */
  readonly failedIn = new Set<number>();
  readonly #pool: ConnectionPool;
  readonly #pathOf: (folder: number) => string | undefined;

  constructor(pool: ConnectionPool, pathOf: (folder: number) => string | undefined) {
    this.#pool = pool;
    this.#pathOf = pathOf;
  }

  async *fetch(items: readonly SourceItem[], context: FetchContext): AsyncGenerator<Fetched> {
    const jobs = makeJobs(items, this.#pathOf);
    const queue = new ResultQueue<Fetched>(QUEUED_BYTES);
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const worker = async (): Promise<void> => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        await new JobRun(this.#pool, job, { scratch: context.scratch, signal }, queue, this.failedIn).run();
      }
    };
    const workers = Promise.all(Array.from({ length: Math.min(this.#pool.limit, jobs.length) }, worker))
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
}

function makeJobs(items: readonly SourceItem[], pathOf: (folder: number) => string | undefined): Job[] {
  const jobs: Job[] = [];
  const current = new Map<string, { job: Job; bytes: number }>();
  for (const item of [...items].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const { folder, uidValidity, uid } = messageNumbers(item.key);
    const place = item.key.slice(0, 9);
    const large = item.size > IN_MEMORY;
    let filling = large ? undefined : current.get(place);
    if (filling === undefined || filling.bytes + item.size > JOB_BYTES || filling.job.remaining.size >= JOB_ITEMS) {
      filling = { job: { path: pathOf(folder), folder, uidValidity, remaining: new Map() }, bytes: 0 };
      jobs.push(filling.job);
      if (!large) current.set(place, filling);
    }
    filling.job.remaining.set(uid, item);
    filling.bytes += item.size;
  }
  return jobs;
}

/** When an error settles all mails of a folder that are left. */
function outcomeForAll(error: unknown): Outcome | undefined {
  if (!isHoldfastError(error)) return undefined;
  if (error.code === 'imap/renumbered') return RENUMBERED;
  if (error.code !== 'imap/no-folder') return undefined;
  return GONE.test(error.message) ? VANISHED : failed('folder-unreadable', error.message);
}

/** One set of mails of one folder, until each is delivered with content or outcome. */
class JobRun {
  readonly #pool: ConnectionPool;
  readonly #job: Job;
  readonly #context: FetchContext;
  readonly #queue: ResultQueue<Fetched>;
  readonly #failedIn: Set<number>;

  constructor(
    pool: ConnectionPool, job: Job, context: FetchContext, queue: ResultQueue<Fetched>, failedIn: Set<number>,
  ) {
    this.#pool = pool;
    this.#job = job;
    this.#context = context;
    this.#queue = queue;
    this.#failedIn = failedIn;
  }

  async run(): Promise<void> {
    const { remaining, path } = this.#job;
    if (path === undefined) {
      for (const uid of remaining.keys()) await this.#giveUp(uid, VANISHED);
      return;
    }
    try {
      await fetchPatiently(this.#pool, {
        path, signal: this.#context.signal, remaining,
        fetch: async (connection, batch) => await this.#fetchBatch(connection, path, batch),
        giveUp: async (uid, error) => await this.#giveUp(uid, notGiven(error.message)),
      });
      for (const uid of remaining.keys()) await this.#giveUp(uid, notGiven('no answer'));
    } catch (error) {
      const outcome = outcomeForAll(error);
      if (outcome === undefined) throw error;
      for (const uid of remaining.keys()) await this.#giveUp(uid, outcome);
    }
  }

  async #fetchBatch(connection: ImapConnection, path: string, batch: readonly number[]): Promise<void> {
    const { signal } = this.#context;
    const { uidValidity, remaining } = this.#job;
    await ensureMailbox(connection, path, uidValidity, signal);
    const [only = 0] = batch;
    if ((remaining.get(only)?.size ?? 0) > IN_MEMORY) {
      await this.#spool(connection, only);
      return;
    }
    const short: { readonly uid: number; readonly bytes: Buffer }[] = [];
    await uidFetch(connection, formatUidSet(batch), ['UID', 'BODY.PEEK[]'], async (row) => {
      const item = remaining.get(row.uid);
      if (item === undefined || row.bytes === undefined) return;
      if (row.bytes.length < item.size) short.push({ uid: row.uid, bytes: row.bytes });
      else await this.#deliver(row.uid, item, row.bytes);
    }, signal);
    for (const { uid, bytes } of short) await this.#settleShort(connection, uid, bytes);
    await this.#settleMissing(connection, batch.filter((uid) => remaining.has(uid)));
  }

  async #deliver(uid: number, item: SourceItem, bytes: Buffer): Promise<void> {
    // Taken out first: a result that waits for the consumer counts as delivered when the connection breaks.
    this.#job.remaining.delete(uid);
    await this.#queue.push({ item: readMessage(item, bytes, bytes.length), bytes }, bytes.length + 1024);
  }

  async #giveUp(uid: number, outcome: Outcome): Promise<void> {
    const item = this.#job.remaining.get(uid);
    this.#job.remaining.delete(uid);
    if (item === undefined) return;
    if (outcome.state === 'failed') this.#failedIn.add(this.#job.folder);
    await this.#queue.push({ item, outcome }, 1024);
  }

  /**
   * Fewer bytes than RFC822.SIZE: some servers only estimate the size, so the mail is whole if nothing stands behind
   * the last byte; else it was cut and is asked for once more, in pieces.
   */
  async #settleShort(connection: ImapConnection, uid: number, bytes: Buffer): Promise<void> {
    const item = this.#job.remaining.get(uid);
    if (item === undefined) return;
    if ((await this.#piece(connection, uid, bytes.length, 1)).length === 0) {
      await this.#deliver(uid, item, bytes);
      return;
    }
    const pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      const piece = await this.#piece(connection, uid, length, PIECE);
      if (piece.length === 0) break;
      pieces.push(piece);
      length += piece.length;
    }
    await this.#deliver(uid, item, Buffer.concat(pieces));
  }

  async #piece(connection: ImapConnection, uid: number, from: number, length: number): Promise<Buffer> {
    let bytes: Buffer = Buffer.alloc(0);
    await uidFetch(connection, String(uid), ['UID', `BODY.PEEK[]<${from}.${length}>`], (row) => {
      if (row.uid === uid && row.bytes !== undefined) ({ bytes } = row);
    }, this.#context.signal);
    return bytes;
  }

  /** Asked for and not answered: gone, or there and not to be had. */
  async #settleMissing(connection: ImapConnection, missing: readonly number[]): Promise<void> {
    if (missing.length === 0) return;
    const { path = '', uidValidity } = this.#job;
    const existing = await existingUids(connection, path, uidValidity, missing, this.#context.signal);
    for (const uid of missing) {
      await this.#giveUp(uid, existing.has(uid)
        ? failed('unreadable', 'The server names this mail but does not give its content.') : VANISHED);
    }
  }

  async #spool(connection: ImapConnection, uid: number): Promise<void> {
    const item = this.#job.remaining.get(uid);
    if (item === undefined) return;
    const path = join(this.#context.scratch, `${Buffer.from(item.key, 'latin1').toString('hex')}.mail`);
    const file = await open(path, 'w', 0o600);
    let length = 0;
    let start: Buffer = Buffer.alloc(0);
    try {
      for (;;) {
        const piece = await this.#piece(connection, uid, length, PIECE);
        if (piece.length === 0) break;
        if (length === 0) start = piece;
        await file.writeFile(piece);
        length += piece.length;
      }
    } finally {
      await file.close();
    }
    if (length === 0) {
      await this.#settleMissing(connection, [uid]);
      return;
    }
    this.#job.remaining.delete(uid);
    await this.#queue.push({ item: readMessage(item, start, length), file: path }, start.length);
  }
}
