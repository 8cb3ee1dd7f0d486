import { graphError, hasCode } from '../graph/graphErrors.ts';
import type { MailboxAccess } from './subService.ts';

const PURPOSE = 'look whether the mailbox is still there';

/**
 * Asked where something that was just listed is not found: of a mailbox that was deleted nothing is, and that must not look as if each item had been
 * deleted. Throws 'microsoft365/no-mailbox' where it is gone; every mailbox has an inbox. Where the inbox may not be looked for, the user is.
 */
export async function assertMailbox({ graph, path, budget }: MailboxAccess, signal: AbortSignal): Promise<void> {
  const options = { purpose: PURPOSE, budget, signal };
  try {
    await graph.get(`${path}/mailFolders/inbox?$select=id`, options).catch(async (error: unknown) => {
      if (!hasCode(error, 'no-permission')) throw error;
      await graph.get(`${path}?$select=id`, options);
    });
  } catch (error) {
    if (hasCode(error, 'not-found')) throw graphError({ status: 404, code: 'ErrorNonExistentMailbox', message: '' }, PURPOSE);
    throw error;
  }
}
