import type { EntryAttributes } from './entryAttributes.ts';
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
  readonly #attributes: EntryAttributes | undefined;
  readonly #target: BinaryString | undefined;

  /** Without `attributes` the entry's attributes could not be read; `fileName` and `target` are the exact bytes. */
  constructor(
    place: { readonly key: BinaryString; readonly parent: BinaryString; readonly fileName: BinaryString },
    kind: string,
    change: BinaryString,
    attributes: EntryAttributes | undefined,
    target?: BinaryString,
  ) {
    this.key = place.key;
    this.parent = place.parent;
    this.kind = kind;
    this.change = change;
    this.#fileName = place.fileName;
    this.#attributes = attributes;
    this.#target = target;
  }

  get name(): string {
    return decodeName(this.#fileName);
  }

  get size(): number {
    return this.kind === 'file' && this.#attributes !== undefined ? Number(this.#attributes.size) : 0;
  }

  get modified(): number | null {
    return this.#attributes === undefined ? null : Number(this.#attributes.mtimeMs);
  }

  get meta(): string {
    return this.#attributes === undefined ? '' : encodeItemMeta(this.#attributes, this.#target);
  }
}
