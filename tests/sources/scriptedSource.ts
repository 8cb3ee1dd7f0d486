import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BinaryString, Entity, ItemRow, Outcome } from '../../src/domain/index.ts';
import type { EnumerateContext, FetchContext, Fetched, SourceChange, SourceContent, SourceItem, SourceSession } from '../../src/connectors/contract.ts';

/** Bytes, a file in the scratch directory with the bytes, why there are none, or null for an item that is never answered. */
export type Scripted = string | { readonly file: string; readonly bytes?: string } | Outcome | null;

export interface Script {
  /** Batches of changes, in the order in which they are told. */
  readonly changes: readonly (readonly SourceChange[])[];
  /** What fetching gives by key; an error is thrown. Default: the key itself. */
  readonly contents?: Readonly<Record<BinaryString, Scripted | Error>>;
  readonly cursor?: string;
  /** Called before each batch. */
  readonly before?: (batch: number) => Promise<void> | void;
}

/** A source that tells what it is told to tell, and notes what it was asked. */
export class ScriptedSource implements SourceSession {
  readonly entity: Entity = { id: 'scripted:1', service: 'scripted', name: 'Scripted' };
  readonly fetched: BinaryString[] = [];
  readonly previous: ItemRow[] = [];
  /** The cursor that it was given. */
  given: string | undefined;
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  async *enumerate(context: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    this.given = context.cursor;
    for await (const rows of context.previous.rows('')) this.previous.push(...rows);
    for (const [i, batch] of this.#script.changes.entries()) {
      await this.#script.before?.(i);
      yield batch;
    }
  }

  async *fetch(items: readonly SourceItem[], { scratch }: FetchContext): AsyncGenerator<Fetched> {
    for (const item of items) {
      this.fetched.push(item.key);
      const { [item.key]: content = item.key } = this.#script.contents ?? {};
      if (content instanceof Error) throw content;
      if (content === null) continue;
      if (typeof content === 'string') yield { item, bytes: Buffer.from(content, 'latin1') };
      else if ('state' in content) yield { item, outcome: content };
      else {
        const file = join(scratch, content.file);
        if (content.bytes !== undefined) writeFileSync(file, content.bytes, 'latin1');
        yield { item, file };
      }
    }
  }

  cursor(): string | undefined {
    return this.#script.cursor;
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

export function itemOf(key: BinaryString, fields: Partial<SourceItem> = {}): SourceItem {
  return { key, parent: '', name: `name of ${key}`, kind: 'mail', size: key.length, modified: null, change: 'v1', meta: '', ...fields };
}

export function found(key: BinaryString, fields: Partial<SourceItem> = {}, content: SourceContent = { from: 'fetch' }): SourceChange {
  return { type: 'item', item: itemOf(key, fields), content };
}

/** One listing of everything. */
export function listing(...changes: readonly SourceChange[]): SourceChange[] {
  return [{ type: 'listing', prefix: '' }, ...changes, { type: 'listed', prefix: '' }];
}
