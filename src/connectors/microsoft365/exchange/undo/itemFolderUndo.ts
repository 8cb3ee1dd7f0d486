import type { ItemRow } from '../../../../domain/index.ts';
import type { UndoResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { canonicalJson } from '../items/documents.ts';
import { Folders } from '../items/folders.ts';
import type { FolderMendNote, FolderNote } from '../restore/itemNotes.ts';
import type { ItemWriting } from '../restore/partWriting.ts';
import { pick } from '../restore/shapes.ts';
import { standingIn } from '../restore/standingItems.ts';
import type { TargetAccess } from '../subTarget.ts';
import { CHANGED, left, NOTHING, orFailed, UNDONE, type UndoCall } from './undoResults.ts';

/** Takes back what a restore did to contact folders, calendars and task lists, one after the other. */
export class ItemFolderUndo {
  readonly #access: TargetAccess;
  readonly #writing: ItemWriting;
  /** Items and folders that a dry run would take away. */
  readonly #leaving = new Set<string>();
  #folders: Promise<Map<string, Entry>> | undefined;

  constructor(access: TargetAccess, writing: ItemWriting) {
    this.#access = access;
    this.#writing = writing;
  }

  leaves(id: string): void {
    this.#leaving.add(id);
  }

  async ids(signal: AbortSignal): Promise<ReadonlySet<string>> {
    return new Set((await this.#loaded(signal)).keys());
  }

  /** One that the restore made, or may have made (`id` ''), goes, if nothing is in it. */
  async remove({ name, parentId }: FolderNote, id: string, { dryRun, signal }: UndoCall): Promise<UndoResult> {
    return await orFailed(signal, async () => {
      const folders = await this.#loaded(signal);
      const found = id === '' ? this.#named(folders, name, parentId) : folders.get(id);
      if (found === undefined) return NOTHING;
      if (this.#nameOf(found) !== name) return CHANGED;
      if (await this.#hasMore(idOf(found), folders, signal)) return left('not-empty', 'The restore made this folder, and something else is in it now, so it stays.');
      if (dryRun) this.leaves(idOf(found));
      else await this.#delete(idOf(found), folders, signal);
      return UNDONE;
    });
  }

  async mend({ id, before, after }: FolderMendNote, { dryRun, signal }: UndoCall): Promise<UndoResult> {
    return await orFailed(signal, async () => {
      const folders = await this.#loaded(signal);
      const folder = folders.get(id);
      if (folder === undefined) return NOTHING;
      const names = Object.keys(after);
      const is = (values: Entry): boolean => names.every((name) => canonicalJson(folder[name] ?? null) === canonicalJson(values[name] ?? null));
      if (is(before)) return NOTHING;
      if (!is(after)) return CHANGED;
      const { graph, path, budget } = this.#access;
      const { folders: writing } = this.#writing;
      if (!dryRun) await graph.patch(writing.path(path, id), pick(before, names), { purpose: writing.purpose, budget, signal });
      if (!dryRun) folders.set(id, { ...folder, ...before });
      return UNDONE;
    });
  }

  async #delete(id: string, folders: Map<string, Entry>, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#access;
    const { folders: writing } = this.#writing;
    await graph.remove(writing.path(path, id), { purpose: writing.purpose, budget, signal }).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error;
    });
    folders.delete(id);
  }

  /** Whether something is in it that does not go. */
  async #hasMore(id: string, folders: ReadonlyMap<string, Entry>, signal: AbortSignal): Promise<boolean> {
    for (const [child, folder] of folders) if (child !== id && textOf(folder, 'parentFolderId') === id && !this.#leaving.has(child)) return true;
    for await (const items of standingIn(this.#access, this.#writing, id, signal)) if (items.some((item) => !this.#leaving.has(item.id))) return true;
    return false;
  }

  #named(folders: ReadonlyMap<string, Entry>, name: string, parentId: string): Entry | undefined {
    const { isNested, wellKnown } = this.#writing.folders;
    return [...folders.values()].find((folder) => {
      const above = textOf(folder, 'parentFolderId');
      // What is made at the top may be shown below the folder that every mailbox has.
      const isThere = !isNested || (parentId === '' ? wellKnown(folders.get(above) ?? {}) !== '' || !folders.has(above) : above === parentId);
      return isThere && this.#nameOf(folder) === name && wellKnown(folder) === '';
    });
  }

  #nameOf(folder: Entry): string {
    return textOf(folder, this.#writing.folders.source.named);
  }

  async #loaded(signal: AbortSignal): Promise<Map<string, Entry>> {
    this.#folders ??= this.#load(signal).catch((error: unknown) => {
      this.#folders = undefined;
      throw error;
    });
    return await this.#folders;
  }

  async #load(signal: AbortSignal): Promise<Map<string, Entry>> {
    const context = { cursor: undefined, previous: { rows: nothing }, signal, progress: () => undefined, expect: () => undefined, scratch: await this.#access.scratch() };
    const { documents } = await Folders.sync(this.#access, context, this.#writing.folders.source, { base: this.#access.path, link: undefined });
    return new Map(documents.map((document) => [idOf(document), document]));
  }

  close(): Promise<void> {
    this.#folders = undefined;
    this.#leaving.clear();
    return Promise.resolve();
  }
}

async function* nothing(): AsyncGenerator<readonly ItemRow[]> {
  // A destination has no snapshot before.
  yield [];
}
