import { idOf, pages, textOf, type Entry } from '../../../graph/pages.ts';
import { oddAnswer } from '../../../graph/graphErrors.ts';
import { expandExtended } from '../../items/documents.ts';
import type { TargetAccess } from '../../subTarget.ts';
import { attachFiles } from '../../restore/attachFiles.ts';
import { doOnce } from '../../restore/doOnce.ts';
import { WRITE_PURPOSE } from './mailPlaces.ts';
import type { NewMessage } from './newMessage.ts';
import { formatOrigin, ORIGIN_ID, takeOrigin, type Origin } from '../../restore/origin.ts';

/** What a request that makes a message answers, as far as it is of use. */
interface Made {
  readonly id: string;
  readonly isRead: boolean;
  readonly isDraft: boolean;
  /** Its change key. */
  readonly change: string;
}

/**
 * Makes a message in a folder: in one request, with its small attachments; further ones follow. Its origin says that it is whole only when it is, so that
 * whatever is killed in between is made anew. Its read state is set at the end: only a mail that is made as read is surely no draft (fact 45). Returns its id and, as
 * the last answer told it, its change key.
 */
export async function makeMessage(access: TargetAccess, folderId: string, message: NewMessage, origin: Origin, signal: AbortSignal): Promise<Pick<Made, 'id' | 'change'>> {
  const { along, later, isDraft, isRead, losses } = message;
  const made = await create(access, folderId, message, { ...origin, whole: later.length === 0 }, signal);
  if (made.isDraft !== isDraft) losses.add('draft-state', isDraft ? 'that it was a draft' : 'that it was no draft: Microsoft 365 made a draft of it');
  if (later.length > 0) await attachFiles(access, { at: `${access.path}/messages/${encodeURIComponent(made.id)}/attachments`, purpose: WRITE_PURPOSE }, later, along.length, { losses, signal });
  const changes = {
    ...(made.isRead === isRead ? {} : { isRead }), ...(later.length === 0 ? {} : { singleValueExtendedProperties: [{ id: ORIGIN_ID, value: formatOrigin({ ...origin, whole: true }) }] }),
  };
  if (Object.keys(changes).length === 0) return made;
  const { graph, path, budget } = access;
  const answer = await graph.patch(`${path}/messages/${encodeURIComponent(made.id)}`, changes, { purpose: WRITE_PURPOSE, budget, signal });
  return { id: made.id, change: textOf(answer, 'changeKey') };
}

async function create(access: TargetAccess, folderId: string, { body, received }: NewMessage, origin: Origin, signal: AbortSignal): Promise<Made> {
  const { graph, path, budget } = access;
  const messages = `${path}/mailFolders/${encodeURIComponent(folderId)}/messages`;
  const value = formatOrigin(origin);
  const properties = [...body['singleValueExtendedProperties'] as readonly unknown[], { id: ORIGIN_ID, value }];
  const options = { purpose: WRITE_PURPOSE, budget, signal };
  return await doOnce(access, signal, {
    act: async () => readMade(await graph.post(messages, { ...body, singleValueExtendedProperties: properties }, { ...options, repeatable: false })),
    look: async () => {
      const filter = encodeURIComponent(`receivedDateTime ge ${received} and receivedDateTime le ${received}`);
      const address = `${messages}?$filter=${filter}&$select=id,isRead,isDraft,changeKey&$expand=${encodeURIComponent(expandExtended([ORIGIN_ID]))}&$top=100`;
      for await (const entries of pages(graph, address, options)) {
        const found = entries.find((entry) => formatted(entry) === value);
        if (found !== undefined) return readMade(found);
      }
      return undefined;
    },
  });
}

function formatted(entry: Entry): string | undefined {
  const { origin } = takeOrigin(entry);
  return origin === undefined ? undefined : formatOrigin(origin);
}

function readMade(entry: Entry): Made {
  const { isRead, isDraft } = entry;
  if (typeof isRead !== 'boolean' || typeof isDraft !== 'boolean') throw oddAnswer('the message that was made');
  return { id: idOf(entry), isRead, isDraft, change: textOf(entry, 'changeKey') };
}
