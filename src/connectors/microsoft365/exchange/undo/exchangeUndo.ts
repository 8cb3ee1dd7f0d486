import { makeScratch, type Scratch } from '../../../../runtime/index.ts';
import type { NotedChange, UndoResult, UndoSession } from '../../../contract.ts';
import type { Mailbox } from '../../directory/mailboxes.ts';
import type { Tenant } from '../../tenant.ts';
import { contactWriting } from '../contacts/contactWriting.ts';
import { eventWriting } from '../calendar/eventWriting.ts';
import { NotesUndo } from '../notes/notesUndo.ts';
import { MailUndo } from '../mail/undo/mailUndo.ts';
import { SettingsUndo } from '../settings/settingsUndo.ts';
import { StreamImport } from '../streams/streamImport.ts';
import { taskWriting } from '../todo/taskWriting.ts';
import { ItemUndo } from './itemUndo.ts';
import { left, type PartUndo } from './undoResults.ts';

/** Takes a restore into one mailbox back: each change goes to the part that noted it. Sends nothing to anybody. */
export class ExchangeUndo implements UndoSession {
  readonly #parts: readonly PartUndo[];
  #scratch: Promise<Scratch> | undefined;

  /** `restore`: its id, as the journal had it. */
  constructor(tenant: Tenant, { userId }: Mailbox, restore: string) {
    const mailbox = { graph: tenant.graph, path: `/users/${userId}`, budget: tenant.budget(userId), runtime: tenant.runtime };
    const access = { ...mailbox, scratch: async () => await this.#directory(), streamImport: new StreamImport(mailbox, undefined) };
    const context = { access, restore };
    this.#parts = [new MailUndo(context), new NotesUndo(context), new SettingsUndo(context), ...[contactWriting, eventWriting, taskWriting].map((writing) => new ItemUndo(context, writing))];
  }

  async undo(changes: readonly NotedChange[], options: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<readonly UndoResult[]> {
    const results = new Map<NotedChange, UndoResult>();
    for (const part of this.#parts) {
      const own = changes.filter(({ note }) => note['part'] === part.name);
      const undone = own.length === 0 ? [] : await part.undo(own, options);
      for (const [place, change] of own.entries()) {
        const result = undone[place];
        if (result !== undefined) results.set(change, result);
      }
    }
    return changes.map((change) => results.get(change) ?? left('not-known', 'This version of Holdfast does not know this change. Use the one that restored it.'));
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
    const scratch = this.#scratch;
    this.#scratch = undefined;
    await (await scratch)?.[Symbol.asyncDispose]();
  }

  async #directory(): Promise<string> {
    this.#scratch ??= makeScratch('exchange-undo');
    return (await this.#scratch).path;
  }
}
