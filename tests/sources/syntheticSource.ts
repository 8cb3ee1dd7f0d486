import { createHash } from 'node:crypto';
import type { BinaryString, Entity } from '../../src/domain/index.ts';
import type { EnumerateContext, Fetched, SourceChange, SourceItem, SourceSession } from '../../src/connectors/contract.ts';

const BATCH = 1024;

export interface SyntheticOptions {
  /** Items, spread over `folders` folders. */
  readonly items: number;
  readonly folders?: number;
  /** Bytes of content of each item; 200 unless told. */
  readonly bytes?: number;
  /** Version of the item of that number; 0 unless told. Another version is another change key and content. */
  readonly version?: (item: number) => number;
}

const padded = (number: number): string => String(number).padStart(9, '0');

/** A source whose items are made when they are asked for: as large as wanted, with nothing in memory or on a disk. */
export class SyntheticSource implements SourceSession {
  readonly entity: Entity = { id: 'synthetic:1', service: 'synthetic', name: 'Synthetic' };
  readonly #items: number;
  readonly #folders: number;
  readonly #bytes: number;
  readonly #version: (item: number) => number;
  fetched = 0;

  constructor({ items, folders = 100, bytes = 200, version = () => 0 }: SyntheticOptions) {
    this.#items = items;
    this.#folders = folders;
    this.#bytes = bytes;
    this.#version = version;
  }

  async *enumerate({ signal }: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    yield [{ type: 'listing', prefix: '' }];
    for (let start = 0; start < this.#folders; start += BATCH) {
      yield Array.from({ length: Math.min(BATCH, this.#folders - start) }, (_, i): SourceChange =>
        ({ type: 'item', item: this.#folder(start + i), content: { from: 'none' } }));
    }
    for (let start = 0; start < this.#items; start += BATCH) {
      signal.throwIfAborted();
      yield Array.from({ length: Math.min(BATCH, this.#items - start) }, (_, i): SourceChange =>
        ({ type: 'item', item: this.item(start + i), content: { from: 'fetch' } }));
    }
    yield [{ type: 'listed', prefix: '' }];
  }

  #folder(number: number): SourceItem {
    return {
      key: `F${padded(number)}`, parent: '', name: `Folder ${number}`, kind: 'folder', size: 0, modified: null, change: '', meta: '',
    };
  }

  item(number: number): SourceItem {
    const version = this.#version(number);
    return {
      key: this.keyOf(number), parent: `F${padded(number % this.#folders)}`, name: `Message ${number} about ${number % 997}`, kind: 'mail',
      size: this.#bytes, modified: 1.6e12 + number * 60_000, change: String(version),
      meta: `{"flags":["\\\\Seen"],"from":"person${number % 5003}@example.test"}`,
    };
  }

  keyOf(number: number): BinaryString {
    return `M${padded(number)}`;
  }

  /** Text that does not compress to nothing and is no other item's. */
  content(number: number): Buffer {
    const hash = createHash('sha256').update(`${number}/${this.#version(number)}`).digest('hex');
    return Buffer.from(hash.repeat(Math.ceil(this.#bytes / hash.length)).slice(0, this.#bytes));
  }

  async *fetch(items: readonly SourceItem[]): AsyncGenerator<Fetched> {
    for (const item of items) {
      this.fetched++;
      yield { item, bytes: this.content(Number(item.key.slice(1))) };
    }
  }

  cursor(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
