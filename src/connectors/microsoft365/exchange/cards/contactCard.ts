import type { PreviewCard, PreviewValue } from '../../../../domain/index.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import { field, text, texts, time } from './cardValues.ts';

/** Texts of a contact and their labels, in the order in which people read them. */
const BEFORE: Readonly<Record<string, string>> = { jobTitle: 'job-title', companyName: 'company', department: 'department', officeLocation: 'office', profession: 'profession', nickName: 'nickname' };
const BEHIND: Readonly<Record<string, string>> = { businessHomePage: 'web-page', manager: 'manager', assistantName: 'assistant', spouseName: 'spouse' };
const ADDRESSES: Readonly<Record<string, string>> = { businessAddress: 'business-address', homeAddress: 'home-address', otherAddress: 'other-address' };

/** A contact as people see it, with its photo. */
export function contactCard(document: Entry): PreviewCard {
  const { contentBytes } = objectOf(document, '@holdfast.photo');
  const notes = textOf(document, 'personalNotes');
  const named = (labels: Readonly<Record<string, string>>): PreviewCard['fields'] => Object.entries(labels).map(([name, label]) => field(label, text(document[name])));
  return {
    title: textOf(document, 'displayName'), parts: [], remarks: [], ...(notes === '' ? {} : { body: { html: false, text: notes } }), ...(typeof contentBytes === 'string' ? { picture: contentBytes } : {}),
    fields: [
      field('name', text(textOf(document, 'displayName'))), ...named(BEFORE),
      field('email', ...listOf(document, 'emailAddresses').map((one): PreviewValue => ({ type: 'person', name: textOf(one, 'name'), address: textOf(one, 'address') }))),
      field('business-phone', ...texts(document, 'businessPhones')), field('mobile-phone', text(document['mobilePhone'])), field('home-phone', ...texts(document, 'homePhones')),
      field('instant-message', ...texts(document, 'imAddresses')), ...Object.entries(ADDRESSES).map(([name, label]) => field(label, text(addressText(objectOf(document, name))))),
      ...named(BEHIND), field('children', ...texts(document, 'children')), field('birthday', birthday(document)), field('categories', ...texts(document, 'categories')),
    ],
  };
}

/** In lines, as on a letter. */
function addressText(address: Entry): string {
  const town = [textOf(address, 'postalCode'), textOf(address, 'city')].filter((part) => part !== '').join(' ');
  return [textOf(address, 'street'), town, textOf(address, 'state'), textOf(address, 'countryOrRegion')].filter((part) => part !== '').join('\n');
}

function birthday(document: Entry): PreviewValue | undefined {
  const told = time({ dateTime: textOf(document, 'birthday') });
  return told?.type === 'time' ? { type: 'day', text: told.time.slice(0, 10) } : undefined;
}
