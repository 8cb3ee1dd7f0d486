import { hasCode } from '../../graph/graphErrors.ts';
import { expandExtended } from '../items/documents.ts';
import { extendedOf, plainId } from '../restore/outlookItem.ts';
import type { MailboxAccess } from '../subService.ts';

/** A property of our own on the inbox, which people do not see: a restore puts streams into this mailbox, and has not ended. */
const MARK_ID = 'String {6b1f0c52-9d0e-4e5a-8a39-5d1c1f6a7e21} Name HoldfastImporting';
const [OPEN, ENDED] = ['open', 'ended'];
const PURPOSE = 'note in the inbox that a restore is at work (Mail.ReadWrite)';

/**
 * Tells a restore whether an earlier one was stopped. An item that comes as a stream gets its origin with a second request, so one that was stopped may have left some that nobody knows: they have to be
 * looked for. Where the mailbox takes no such mark nothing is known, and nothing looked for.
 */
export class ImportMark {
  readonly #access: MailboxAccess;
  #isSet = false;

  constructor(access: MailboxAccess) {
    this.#access = access;
  }

  /** Before the first stream. @returns whether an earlier restore was stopped. */
  async begin(signal: AbortSignal): Promise<boolean> {
    const { graph, path, budget } = this.#access;
    try {
      const inbox = await graph.get(`${path}/mailFolders/inbox?$select=id&$expand=${encodeURIComponent(expandExtended([MARK_ID]))}`, { purpose: PURPOSE, budget, signal });
      const wasStopped = extendedOf(inbox).get(plainId(MARK_ID)) === OPEN;
      if (!wasStopped) await this.#set(OPEN, signal);
      this.#isSet = true;
      return wasStopped;
    } catch (error) {
      if (!hasCode(error, 'no-permission', 'not-found', 'refused')) throw error;
      return false;
    }
  }

  /** After the last one. */
  async end(signal: AbortSignal): Promise<void> {
    if (this.#isSet) await this.#set(ENDED, signal);
    this.#isSet = false;
  }

  async #set(value: string, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#access;
    await graph.patch(`${path}/mailFolders/inbox`, { singleValueExtendedProperties: [{ id: MARK_ID, value }] }, { purpose: PURPOSE, budget, signal });
  }
}
