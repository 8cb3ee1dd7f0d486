import type { Entry } from '../../graph/pages.ts';
import { extendedOf, plainId } from '../restore/outlookItem.ts';
import { pick } from '../restore/shapes.ts';
import { EXTENDED, HAS_PICTURE } from './contactContent.ts';

/** The fields of a contact that Graph lets be set. */
export const CONTACT_FIELDS: readonly string[] = [
  'assistantName', 'birthday', 'businessAddress', 'businessHomePage', 'businessPhones', 'categories', 'children', 'companyName', 'department', 'displayName', 'emailAddresses', 'fileAs',
  'generation', 'givenName', 'homeAddress', 'homePhones', 'imAddresses', 'initials', 'jobTitle', 'manager', 'middleName', 'mobilePhone', 'nickName', 'officeLocation', 'otherAddress',
  'personalNotes', 'profession', 'spouseName', 'surname', 'title', 'yomiCompanyName', 'yomiGivenName', 'yomiSurname',
];

/** What Outlook has besides, and can be set: all that a backup asks for but the class of the item and whether there is a photo, which the store sets. */
export const CONTACT_EXTENDED: readonly string[] = EXTENDED.filter((id) => id !== HAS_PICTURE && id !== 'String 0x001A');

/** All of a contact that can be set. */
export function contactShape(document: Entry): Entry {
  const extended = extendedOf(document);
  return { ...pick(document, CONTACT_FIELDS), extended: Object.fromEntries(CONTACT_EXTENDED.map((id) => [plainId(id), extended.get(plainId(id)) ?? null])) };
}

/** The extended properties of a contact for a body: those that it has, and empty texts for those that it has not and `standing` has. */
export function contactExtended(document: Entry, standing: Entry = {}): { id: string; value: string }[] {
  const [wanted, there] = [extendedOf(document), extendedOf(standing)];
  return CONTACT_EXTENDED.flatMap((id) => {
    const [value, now] = [wanted.get(plainId(id)), there.get(plainId(id))];
    if (value !== undefined) return value === now ? [] : [{ id, value }];
    // Only a text can be emptied.
    return now !== undefined && now !== '' && id.startsWith('String') ? [{ id, value: '' }] : [];
  });
}
