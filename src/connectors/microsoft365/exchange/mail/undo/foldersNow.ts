import type { ItemRow } from '../../../../../domain/index.ts';
import type { TargetAccess } from '../../subTarget.ts';
import { MailFolders, type MailFolder } from '../mailFolders.ts';

/** Folders in each other: more is damage. */
const DEEPEST = 400;

/** The mail folders of a mailbox as they are when an undo begins, and what it takes out of them. */
export class FoldersNow {
  readonly #folders: Map<string, MailFolder>;
  /** Mails, and folders, that the undo takes (with a dry run: would take) out, by the folder that they are in. */
  readonly #leaving = new Map<string, number>();
  readonly #rootId: string;

  private constructor(folders: MailFolders) {
    this.#folders = new Map([...folders.all].map((folder) => [folder.id, folder]));
    this.#rootId = folders.rootId;
  }

  static async load(access: TargetAccess, signal: AbortSignal): Promise<FoldersNow> {
    const context = { cursor: undefined, previous: { rows: nothing }, signal, progress: () => undefined, expect: () => undefined, scratch: await access.scratch() };
    return new FoldersNow(await MailFolders.sync(access, context, undefined));
  }

  get ids(): readonly string[] { return [...this.#folders.values()].filter(({ search }) => search === undefined).map(({ id }) => id); }

  has(id: string): boolean {
    return id === this.#rootId || this.#folders.has(id);
  }

  wellKnown(id: string): string {
    return this.#folders.get(id)?.wellKnown ?? '';
  }

  /** Lies in Deleted Items or in Recoverable Items. */
  isDeleted(id: string): boolean {
    return this.#chain(id).some((one) => this.wellKnown(one) === 'deleteditems') || this.isRecoverable(id);
  }

  isRecoverable(id: string): boolean {
    return this.#chain(id).some((one) => this.wellKnown(one).startsWith('recoverableitems'));
  }

  /** Something of this folder goes. */
  leaves(id: string): void {
    this.#leaving.set(id, (this.#leaving.get(id) ?? 0) + 1);
  }

  leaving(id: string): number {
    return this.#leaving.get(id) ?? 0;
  }

  /** The folder and those above it. */
  #chain(id: string): string[] {
    const chain: string[] = [];
    for (let at: string | undefined = id; at !== undefined && at !== '' && chain.length < DEEPEST && !chain.includes(at); at = this.#folders.get(at)?.parentId) chain.push(at);
    return chain;
  }
}

async function* nothing(): AsyncGenerator<readonly ItemRow[]> {
  // A destination has no snapshot before.
  yield [];
}
