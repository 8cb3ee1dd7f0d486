import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BinaryString, ItemRow, Outcome } from '../domain/index.ts';
import type { Fetched, PreviousState, SourceChange, SourceContent, SourceItem, SourceSession } from './contract.ts';

/** A snapshot in memory: what the backup makes of a session's changes, as the contract says, without a repository. */
export class SnapshotModel implements PreviousState {
  readonly byKey = new Map<BinaryString, ItemRow>();
  cursor: string | undefined;
  /** Content bytes by `ItemRow.content`, which is their SHA-256 in hex here. */
  readonly contents: Map<string, Buffer>;

  constructor(contents = new Map<string, Buffer>()) {
    this.contents = contents;
  }

  get sorted(): readonly ItemRow[] {
    return [...this.byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async *rows(prefix: BinaryString): AsyncGenerator<readonly ItemRow[]> {
    const found = this.sorted.filter((row) => row.key.startsWith(prefix));
    for (let at = 0; at < found.length; at += 100) yield found.slice(at, at + 100);
  }

  bytesOf(row: ItemRow): Buffer | undefined {
    return this.contents.get(row.content);
  }

  /** Names from the top, for tests that look for one item. */
  pathOf(row: ItemRow): string {
    const above = this.byKey.get(row.parent);
    return above === undefined ? row.name : `${this.pathOf(above)}/${row.name}`;
  }

  find(path: string): ItemRow | undefined {
    return this.sorted.find((row) => this.pathOf(row) === path);
  }
}

/** What one run did. */
export interface ModelRun {
  readonly snapshot: SnapshotModel;
  /** Items whose content was asked of the session. */
  readonly fetched: readonly SourceItem[];
  /** Rows that differ from the previous snapshot, with `removed` ones. */
  readonly changed: number;
  readonly changes: readonly SourceChange[];
}

export interface ModelRunOptions {
  readonly signal?: AbortSignal;
  /** Called after each batch of changes. */
  readonly onBatch?: (batch: readonly SourceChange[]) => Promise<void> | void;
}

const EMPTY = new SnapshotModel();

/** Runs one backup of `session` into a model, checking the contract on the way. Does not close the session. */
export async function modelRun(
  session: SourceSession, previous: SnapshotModel = EMPTY, options: ModelRunOptions = {},
): Promise<ModelRun> {
  const scratch = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const run = new Running(session, previous, scratch, options.signal ?? new AbortController().signal);
    const context = { cursor: previous.cursor, previous, signal: run.signal, progress: () => undefined };
    for await (const batch of session.enumerate(context)) {
      for (const change of batch) run.apply(change);
      await run.fetchPending(false);
      await options.onBatch?.(batch);
    }
    await run.fetchPending(true);
    return await run.finish();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** By name: an item's fields may be getters, which a spread would lose. */
function rowOf(item: SourceItem, content: BinaryString, outcome = ''): ItemRow {
  const { key, parent, name, kind, size, modified, change, meta } = item;
  return { key, parent, name, kind, size, modified, change, meta, outcome, content };
}

class Running {
  readonly signal: AbortSignal;
  readonly #session: SourceSession;
  readonly #previous: SnapshotModel;
  readonly #scratch: string;
  readonly #next: SnapshotModel;
  readonly #fetched: SourceItem[] = [];
  readonly #changes: SourceChange[] = [];
  readonly #seen = new Set<BinaryString>();
  readonly #files: Promise<void>[] = [];
  #pending: SourceItem[] = [];
  #unknown: BinaryString[] = [];
  #listing: { readonly prefix: BinaryString; readonly keys: Set<BinaryString> } | undefined;
  #last: BinaryString = '';

  constructor(session: SourceSession, previous: SnapshotModel, scratch: string, signal: AbortSignal) {
    this.#session = session;
    this.#previous = previous;
    this.#scratch = scratch;
    this.signal = signal;
    this.#next = new SnapshotModel(previous === EMPTY ? undefined : previous.contents);
    for (const row of previous.byKey.values()) this.#next.byKey.set(row.key, row);
  }

  apply(change: SourceChange): void {
    this.#changes.push(change);
    switch (change.type) {
      case 'listing':
        assert.equal(this.#listing, undefined, 'a listing inside a listing');
        this.#ascend(change.prefix);
        this.#listing = { prefix: change.prefix, keys: new Set() };
        break;
      case 'listed': this.#endListing(change.prefix); break;
      case 'item': this.#item(change.item, change.content); break;
      case 'exception':
        this.#once(change.item);
        this.#next.byKey.set(change.item.key, rowOf(change.item, '', JSON.stringify(change.outcome)));
        break;
      case 'unknown':
        this.#ascend(change.prefix);
        assert.ok(this.#listing !== undefined, 'something unknown outside of a listing');
        this.#unknown.push(change.prefix);
        break;
      case 'removed':
        this.#ascend(change.key);
        this.#next.byKey.delete(change.key);
        break;
      case 'removedPrefix': this.#ascend(change.prefix); this.#drop(change.prefix, new Set()); break;
      default: assert.fail('unknown change');
    }
  }

  #ascend(key: BinaryString): void {
    assert.ok(key >= this.#last, `keys go backwards: ${JSON.stringify(this.#last)} then ${JSON.stringify(key)}`);
    this.#last = key;
  }

  #once(item: SourceItem): void {
    this.#ascend(item.key);
    assert.ok(!this.#seen.has(item.key), `key ${JSON.stringify(item.key)} comes twice`);
    this.#seen.add(item.key);
    if (this.#listing === undefined) return;
    assert.ok(item.key.startsWith(this.#listing.prefix), 'an item outside of its listing');
    this.#listing.keys.add(item.key);
  }

  #item(item: SourceItem, content: SourceContent): void {
    this.#once(item);
    const before = this.#previous.byKey.get(item.key);
    if (this.#listing !== undefined && before !== undefined && before.change === item.change) return;
    const stored = (value: string): void => {
      this.#next.byKey.set(item.key, rowOf(item, value));
    };
    switch (content.from) {
      case 'none': stored(''); break;
      case 'fetch': this.#pending.push(item); break;
      case 'file': this.#files.push(this.#readFile(item, content.path)); break;
      case 'kept':
        assert.ok(before !== undefined, 'kept content of an item that was not there');
        stored(before.content);
        break;
      case 'previous': {
        const other = this.#previous.byKey.get(content.key);
        assert.ok(other !== undefined && other.content !== '', 'content of a previous item that has none');
        stored(other.content);
        break;
      }
      default: assert.fail('unknown content');
    }
  }

  async #readFile(item: SourceItem, path: BinaryString): Promise<void> {
    this.#store(item, await readFile(Buffer.from(path, 'latin1')));
  }

  #store(item: SourceItem, bytes: Buffer): void {
    const content = createHash('sha256').update(bytes).digest('hex');
    this.#next.contents.set(content, bytes);
    assert.equal(item.size, bytes.length, `the row of ${JSON.stringify(item.name)} tells another size than its content has`);
    this.#next.byKey.set(item.key, rowOf(item, content));
  }

  #endListing(prefix: BinaryString): void {
    assert.equal(this.#listing?.prefix, prefix, 'the end of another listing');
    this.#drop(prefix, this.#listing?.keys ?? new Set());
    this.#listing = undefined;
    this.#unknown = [];
  }

  #drop(prefix: BinaryString, except: ReadonlySet<BinaryString>): void {
    for (const key of this.#previous.byKey.keys()) {
      if (this.#unknown.some((unknown) => key.startsWith(unknown))) continue;
      if (key.startsWith(prefix) && !except.has(key)) this.#next.byKey.delete(key);
    }
  }

  async fetchPending(all: boolean): Promise<void> {
    while (this.#pending.length >= (all ? 1 : 64)) {
      const items = this.#pending.splice(0, 64);
      this.#fetched.push(...items);
      const open = new Map(items.map((item) => [item.key, item]));
      for await (const result of this.#session.fetch(items, { scratch: this.#scratch, signal: this.signal })) {
        assert.ok(open.delete(result.item.key), 'a content that was not asked for, or twice');
        await this.#take(result);
      }
      assert.equal(open.size, 0, `${open.size} of ${items.length} contents never came`);
    }
  }

  async #take(result: Fetched): Promise<void> {
    if ('bytes' in result) this.#store(result.item, Buffer.from(result.bytes));
    else if ('file' in result) this.#store(result.item, await readFile(result.file));
    else this.#next.byKey.set(result.item.key, this.#without(result.item, result.outcome));
  }

  /** As the engine does: what was stored before may be the last copy. */
  #without(item: SourceItem, outcome: Outcome): ItemRow {
    const before = this.#previous.byKey.get(item.key);
    const isKept = before !== undefined && before.content !== '' && (outcome.state === 'failed' || outcome.code === 'vanished');
    return { ...rowOf(item, isKept ? before.content : '', JSON.stringify(outcome)), ...(isKept ? { size: before.size } : {}) };
  }

  async finish(): Promise<ModelRun> {
    await Promise.all(this.#files);
    assert.equal(this.#listing, undefined, 'a listing that never ends');
    this.#next.cursor = this.#session.cursor();
    const keys = new Set([...this.#previous.byKey.keys(), ...this.#next.byKey.keys()]);
    const text = (row: ItemRow | undefined): string => JSON.stringify(row);
    const changed = [...keys].filter((key) => text(this.#previous.byKey.get(key)) !== text(this.#next.byKey.get(key)));
    return { snapshot: this.#next, fetched: this.#fetched, changed: changed.length, changes: this.#changes };
  }
}
