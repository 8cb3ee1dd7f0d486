import type { SourceItem } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { changeOf, listOf, timeOf } from '../items/documents.ts';
import { addressOf } from '../items/people.ts';

/** The fields of a contact's row; those that are empty are left out. */
export interface ContactMeta {
  /** Its addresses. */
  readonly from?: string;
  readonly company?: string;
  readonly photo?: true;
}

/** A contact as a delta shows it: enough to tell whether it changed. */
export function listedContact(entry: Entry, folderId: string): SourceItem {
  const parent = `contacts/f/${folderId}`;
  return {
    key: `contacts/i/${idOf(entry)}`, parent, name: textOf(entry, 'displayName'), kind: 'contact', size: 0, modified: timeOf(textOf(entry, 'lastModifiedDateTime')),
    change: changeOf(textOf(entry, 'changeKey'), textOf(entry, 'lastModifiedDateTime'), parent), meta: '',
  };
}

export function contactItem(listed: SourceItem, document: Entry, hasPhoto: boolean): SourceItem {
  const { key, parent, kind, size, modified, change } = listed;
  const from = listOf(document, 'emailAddresses').map(addressOf).filter((address) => address !== '').join(', ');
  const company = textOf(document, 'companyName');
  const name = textOf(document, 'displayName') || company || from;
  const meta: ContactMeta = { ...(from === '' ? {} : { from }), ...(company === '' ? {} : { company }), ...(hasPhoto ? { photo: true } : {}) };
  return { key, parent, name, kind, size, modified, change, meta: JSON.stringify(meta) };
}
