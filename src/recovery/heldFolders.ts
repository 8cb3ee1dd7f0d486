import type { Descriptor } from '../connectors/contract.ts';
import type { BinaryString, ItemRow } from '../domain/index.ts';

/** Folders in each other: more is damage. */
const DEEPEST = 400;

/** Which folders of a snapshot hold what the source keeps for legal reasons alone. Memory: the folders. */
export class HeldFolders {
  readonly #isHeld: NonNullable<Descriptor['isHeld']>;
  readonly #parents = new Map<BinaryString, BinaryString>();
  readonly #held = new Set<BinaryString>();

  constructor({ isHeld = () => false }: Descriptor) {
    this.#isHeld = isHeld;
  }

  /** Each folder, before what lies in it is asked for. */
  learn(folder: ItemRow): void {
    this.#parents.set(folder.key, folder.parent);
    if (this.#isHeld(folder)) this.#held.add(folder.key);
  }

  /** Whether the folder with this key is one of them, or lies in one. */
  holds(key: BinaryString): boolean {
    if (this.#held.size === 0) return false;
    let at: BinaryString | undefined = key;
    for (let depth = 0; at !== undefined && depth < DEEPEST; depth++) {
      if (this.#held.has(at)) return true;
      at = this.#parents.get(at);
    }
    return false;
  }
}
