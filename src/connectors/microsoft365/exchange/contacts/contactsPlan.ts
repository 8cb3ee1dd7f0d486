import { hasCode } from '../../graph/graphErrors.ts';
import { entriesOf, idOf, textOf, type Entry } from '../../graph/pages.ts';
import type { FolderedPlan } from '../items/folderedService.ts';
import type { MailboxAccess, SubServiceContext } from '../subService.ts';
import { CONTACTS_PURPOSE, contactContent } from './contactContent.ts';
import { listedContact } from './contactItem.ts';

const NAME = 'contacts';
/** The folder that every mailbox has carries this as its `wellKnownName`, which the service itself does not show so far. */
export const DEFAULT_FOLDER = 'contacts';
/** The short form in which contacts are listed. */
export const CONTACT_OPTIONS = '$select=id,changeKey,lastModifiedDateTime,displayName';

/** Contacts in their folders, with photos. Contact lists of Outlook are in no answer of Graph. */
export const contactsPlan: FolderedPlan = {
  name: NAME, title: 'Contacts', kind: 'contact', nouns: ['contact', 'contacts'],
  folders: {
    name: NAME, title: 'Contacts', purpose: CONTACTS_PURPOSE, mode: 'delta', named: 'displayName', volatile: [],
    start: (base) => `${base}/contactFolders/delta`,
    others: async (access, context, base) => (await defaultFolder(access, context, base)).map((folder) => ({ ...folder, wellKnownName: DEFAULT_FOLDER })),
  },
  items: {
    purpose: CONTACTS_PURPOSE, mode: 'delta',
    keys: { folders: `${NAME}/f/`, items: `${NAME}/i/`, notices: `${NAME}/x/` },
    start: (base, id) => `${base}/contactFolders/${encodeURIComponent(id)}/contacts/delta?${CONTACT_OPTIONS}`,
    restOf: (base, _folderId, entry) => ('displayName' in entry && 'changeKey' in entry ? undefined : `${base}/contacts/${encodeURIComponent(idOf(entry))}?${CONTACT_OPTIONS}`),
    listed: listedContact,
    isSame: () => false,
    streamChange: ({ change }) => change,
  },
  content: contactContent,
};

/** The folder that every mailbox has is not in each list of folders, but known by name; one that it is not known by is found by what is in it, once there is something. */
async function defaultFolder({ graph, budget }: MailboxAccess, { signal }: SubServiceContext, base: string): Promise<readonly Entry[]> {
  const options = { purpose: CONTACTS_PURPOSE, budget, signal };
  const find = async (name: string): Promise<Entry | undefined> => {
    try {
      return await graph.get(`${base}/contactFolders/${encodeURIComponent(name)}`, options);
    } catch (error) {
      if (!hasCode(error, 'not-found', 'refused')) throw error;
      return undefined;
    }
  };
  const named = await find('contacts');
  if (named !== undefined) return [named];
  const [first] = entriesOf(await graph.get(`${base}/contacts?$top=1&$select=id,parentFolderId`, options));
  const id = first === undefined ? '' : textOf(first, 'parentFolderId');
  return id === '' ? [] : [await find(id) ?? { id, displayName: 'Contacts' }];
}
