import type { BigIntStats } from 'node:fs';
import type { BinaryString } from '../../domain/index.ts';
import type { SourceItem } from '../contract.ts';
import { decodeName } from './bytePath.ts';
import { encodeItemMeta } from './itemMeta.ts';

/**
 * One entry of the tree. Of an unchanged entry only `key` and `change` are looked at, and a run lists 100,000 of them:
 * all else is worked out when it is asked for.
 */
export class FolderItem implements SourceItem {
  readonly key: BinaryString;
  readonly parent: BinaryString;
  readonly kind: string;
  readonly change: BinaryString;
  readonly #fileName: BinaryString;
  readonly #stats: BigIntStats | undefined;
  readonly #target: BinaryString | undefined;

  /** Without `stats` the entry's attributes could not be read; `fileName` and `target` are the exact bytes. */
  constructor(
    place: { readonly key: BinaryString; readonly parent: BinaryString; readonly fileName: BinaryString },
    kind: string,
    change: BinaryString,
    stats: BigIntStats | undefined,
    target?: BinaryString,
  ) {
    this.key = place.key;
    this.parent = place.parent;
    this.kind = kind;
    this.change = change;
    this.#fileName = place.fileName;
    this.#stats = stats;
    this.#target = target;
  }

  get name(): string {
    return decodeName(this.#fileName);
  }

  get size(): number {
    return this.kind === 'file' && this.#stats !== undefined ? Number(this.#stats.size) : 0;
  }

  get modified(): number | null {
    return this.#stats === undefined ? null : Number(this.#stats.mtimeMs);
  }

  get meta(): string {
    return this.#stats === undefined ? '' : encodeItemMeta(this.#stats, this.#target);
  }
}
