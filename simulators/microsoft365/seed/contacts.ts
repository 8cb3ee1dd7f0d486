import type { Contact } from '@microsoft/microsoft-graph-types';
import type { Item } from '../mailbox/item.ts';
import type { SeededItems } from '../mailbox/shelf.ts';
import type { Properties } from '../odata/list.ts';
import { diceOf, SEED_EPOCH } from './owner.ts';
import type { Owner } from './owner.ts';
import { makeOutsider } from './people.ts';
import { makePicture } from './pictures.ts';

export function seededContacts(owner: Owner, name: string, count: number): SeededItems {
  return { name, count, rankOf: (index) => -index, make: (index) => makeContact(owner, name, index) };
}

function makeContact(owner: Owner, name: string, index: number): Item {
  const dice = diceOf(owner, 'contact', name, index);
  const person = makeOutsider(owner.seed, dice.int(2000));
  const time = SEED_EPOCH - dice.int(90_000_000) * 1000;
  const contact: Contact = {
    displayName: person.displayName, givenName: person.givenName, surname: person.surname, fileAs: `${person.surname}, ${person.givenName}`,
    emailAddresses: [{ name: person.displayName, address: person.address }],
    companyName: person.address.split('@')[1]?.split('.')[0] ?? '', department: person.department, jobTitle: person.jobTitle, officeLocation: person.office,
    businessPhones: [person.phone], homePhones: [], mobilePhone: dice.chance(0.5) ? `+49 170 ${1_000_000 + dice.int(8_999_999)}` : null, imAddresses: [],
    businessAddress: { street: `Main Street ${1 + dice.int(99)}`, city: person.city, postalCode: String(10_000 + dice.int(80_000)), countryOrRegion: person.country },
    homeAddress: {}, otherAddress: {}, children: [], categories: [],
    birthday: dice.chance(0.2) ? `19${60 + dice.int(40)}-0${1 + dice.int(9)}-1${dice.int(9)}T11:59:00Z` : null,
    personalNotes: dice.chance(0.3) ? 'Met at the trade fair.' : '', nickName: null, middleName: null, initials: null, generation: null, title: null,
    assistantName: null, manager: null, spouseName: null, profession: null, businessHomePage: null, yomiGivenName: null, yomiSurname: null, yomiCompanyName: null,
  };
  const photo = dice.chance(0.3) ? { photo: () => makePicture(48, owner.seed, person.address) } : {};
  return {
    key: `${name}.${index}`, kind: 'contact', rank: -index, moves: 0, version: 0, created: time, modified: time, properties: contact as Properties, extended: [],
    attachments: [], ...photo,
  };
}
