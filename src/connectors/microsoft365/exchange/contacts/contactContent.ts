import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import type { Entry } from '../../graph/pages.ts';
import { expandExtended, listOf, readDocument } from '../items/documents.ts';
import type { ContentAccess } from '../items/folderedService.ts';
import { idBehind } from '../items/itemSource.ts';
import { jsonContent } from '../items/jsonContent.ts';
import { isCutPicture, wholeContent } from '../items/wholeContent.ts';
import type { MailboxAccess } from '../subService.ts';
import { contactItem } from './contactItem.ts';

export const CONTACTS_PURPOSE = 'read contacts (Contacts.Read)';
/** The store knows whether a contact has a photo; some contacts do not say. */
export const HAS_PICTURE = 'Boolean {00062004-0000-0000-C000-000000000046} Id 0x8015';
/**
 * Of MAPI, as MS-OXPROPS numbers them: what a contact of Outlook has and the contact of Graph has not. No more than twenty: an expression of OData may have a hundred
 * nodes, and each id takes four.
 */
export const EXTENDED: readonly string[] = [
  HAS_PICTURE, 'String 0x001A',
  // Telephones: callback, main of the company, primary, car, other, pager, assistant; faxes: primary, business, home.
  ...['3A02', '3A57', '3A1A', '3A1E', '3A1F', '3A21', '3A2E', '3A23', '3A24', '3A25'].map((tag) => `String 0x${tag}`),
  // Account, government's and customer's number, hobbies, referred by, private page; wedding day; gender.
  ...['3A00', '3A07', '3A4A', '3A43', '3A47', '3A50'].map((tag) => `String 0x${tag}`), 'SystemTime 0x3A41', 'Short 0x3A4D',
];
const WHOLE = `$expand=${encodeURIComponent(expandExtended(EXTENDED))}`;
/** More than the service takes as a photo. */
const MOST_BYTES = 16 << 20;

/** A contact with all its properties, and its photo in `@holdfast.photo`. */
export async function contactContent({ access, base }: ContentAccess, listed: SourceItem, context: FetchContext): Promise<Fetched> {
  const { graph, budget } = access;
  const options = { purpose: CONTACTS_PURPOSE, budget, signal: context.signal };
  const path = `${base}/contacts/${encodeURIComponent(idBehind('contacts/i/', listed.key))}`;
  const contact = await readDocument(graph, `${path}?${WHOLE}`, options);
  const photo = mayHavePhoto(contact) ? await photoOf(access, path, context.signal) : undefined;
  const document = photo === undefined ? contact : { ...contact, '@holdfast.photo': photo };
  return await jsonContent(contactItem(listed, contact, photo !== undefined), document, [], { access, purpose: CONTACTS_PURPOSE, context });
}

function mayHavePhoto(contact: Entry): boolean {
  const told = listOf(contact, 'singleValueExtendedProperties').find(({ id }) => typeof id === 'string' && /id 0x0*8015$/i.test(id));
  return told?.['value'] !== 'false';
}

/** The photo of the contact with this path (fact 65); undefined where there is none. */
export async function photoOf({ graph, budget }: MailboxAccess, path: string, signal: AbortSignal): Promise<Entry | undefined> {
  try {
    const { bytes, headers } = await wholeContent(graph, `${path}/photo/$value`, { purpose: CONTACTS_PURPOSE, budget, signal, limits: { mostBytes: MOST_BYTES } }, isCutPicture);
    return { contentType: headers.get('content-type') ?? '', contentBytes: bytes.toString('base64') };
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined;
    throw error;
  }
}
