import type { HoldfastError } from '../../../../domain/index.ts';
import { hasCode, isUnknownPath, oddAnswer } from '../../graph/graphErrors.ts';
import { textOf } from '../../graph/pages.ts';
import type { MailboxAccess } from '../subService.ts';

/** What the paths of mailbox import and export begin with (fact 55). */
export async function exportPath({ graph, path, budget }: Pick<MailboxAccess, 'graph' | 'path' | 'budget'>, signal: AbortSignal): Promise<string> {
  const id = textOf(await graph.get(`${path}/settings/exchange`, { purpose: 'find the mailbox of a user (User.Read.All)', budget, signal }), 'primaryMailboxId');
  if (id === '') throw oddAnswer('the id of a mailbox');
  return `/admin/exchange/mailboxes/${encodeURIComponent(id)}`;
}

/** Whether an error says that the tenant, or its cloud, does not let items be exported or imported. */
export function isDenial(error: HoldfastError): boolean {
  return hasCode(error, 'no-permission', 'not-found', 'no-mailbox') || isUnknownPath(error);
}
