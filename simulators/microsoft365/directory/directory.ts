import type { Group, User } from '@microsoft/microsoft-graph-types';
import { DirectoryTokenLife } from '../odata/deltaTokenLife.ts';
import type { Properties } from '../odata/list.ts';
import { isoSeconds } from '../server/clock.ts';
import type { Clock } from '../server/clock.ts';
import { Dice } from '../seed/dice.ts';
import { SEED_EPOCH } from '../seed/owner.ts';
import { makePerson } from '../seed/people.ts';
import type { Person } from '../seed/people.ts';
import { textOf } from '../odata/textOf.ts';

export const MAIL_SKU = { id: '06ebc4ee-1bb5-47dd-8120-11324bc54e06', name: 'SPE_E5', plan: { id: 'efb87545-963c-4e0d-99df-69c6916d9eb0', name: 'EXCHANGE_S_ENTERPRISE' } };

export interface DirectoryUser {
  readonly id: string;
  /** Number of the mailbox; undefined where the user has none. */
  readonly mailbox: number | undefined;
  readonly person: Person;
  document: Properties;
  sequence: number;
  deleted: number | undefined;
}

export interface DirectoryGroup {
  readonly id: string;
  document: Properties;
  /** Ids of users and groups, with the sequence of the change that took them out. */
  readonly members: Map<string, { removed: boolean; sequence: number }>;
  readonly owners: string[];
  sequence: number;
  deleted: number | undefined;
}

const SHARED_EVERY = 10;

/** Every tenth mailbox is a shared one: no licence, no sign-in. */
export function isShared(index: number): boolean {
  return index % SHARED_EVERY === SHARED_EVERY - 1;
}

/** Users and groups of the tenant. They are small and all in memory. */
export class Directory {
  readonly users: DirectoryUser[] = [];
  readonly groups: DirectoryGroup[] = [];
  readonly tokens: DirectoryTokenLife;
  /** Global Administrator, by the template that is the same in every tenant. */
  readonly administratorRole: Properties;
  readonly #seed: string;
  readonly #domain: string;
  readonly #clock: Clock;
  readonly #byName = new Map<string, DirectoryUser>();
  #sequence = 0;

  /** `mailboxes`: users with one. As many again, by tenths, have none: unlicensed people and guests. */
  constructor(seed: string, domain: string, mailboxes: number, clock: Clock) {
    this.#seed = seed;
    this.#domain = domain;
    this.#clock = clock;
    this.tokens = new DirectoryTokenLife(clock);
    this.administratorRole = {
      id: new Dice(seed, 'role').uuid(), displayName: 'Global Administrator', description: 'Can manage all aspects of Microsoft Entra ID.', deletedDateTime: null,
      roleTemplateId: '62e90394-69f5-4237-9190-012177145e10',
    };
    for (let index = 0; index < mailboxes; index++) this.#addUser(index, isShared(index) ? 'shared' : 'licensed');
    const others = 1 + Math.floor(mailboxes / 10);
    for (let index = mailboxes; index < mailboxes + others; index++) this.#addUser(index, 'unlicensed');
    for (let index = mailboxes + others; index < mailboxes + others * 2; index++) this.#addUser(index, 'guest');
    this.#addGroups();
  }

  get sequence(): number {
    return this.#sequence;
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** By id or user principal name, deleted ones not. */
  user(name: string): DirectoryUser | undefined {
    const found = this.#byName.get(name.toLowerCase());
    return found?.deleted === undefined ? found : undefined;
  }

  group(id: string): DirectoryGroup | undefined {
    return this.groups.find((group) => group.id === id.toLowerCase() && group.deleted === undefined);
  }

  /** Soft deletion: 30 days in deletedItems. */
  deleteObject(object: DirectoryUser | DirectoryGroup): void {
    object.deleted = this.#clock.now();
    object.sequence = this.nextSequence();
  }

  restoreObject(object: DirectoryUser | DirectoryGroup): void {
    object.deleted = undefined;
    object.sequence = this.nextSequence();
  }

  addUser(properties: Properties): DirectoryUser {
    const id = new Dice(this.#seed, 'new user', this.users.length).uuid();
    const document = { id, createdDateTime: isoSeconds(this.#clock.now()), ...properties, mail: properties['userPrincipalName'] };
    const user: DirectoryUser = { id, mailbox: undefined, person: makePerson(this.#seed, this.users.length, this.#domain), document, sequence: this.nextSequence(), deleted: undefined };
    this.#register(user, textOf(properties['userPrincipalName']));
    return user;
  }

  setMember(group: DirectoryGroup, memberId: string, isMember: boolean): void {
    const sequence = this.nextSequence();
    group.members.set(memberId, { removed: !isMember, sequence });
    group.sequence = sequence;
  }

  #register(user: DirectoryUser, principalName: string): void {
    this.users.push(user);
    this.#byName.set(user.id, user);
    this.#byName.set(principalName.toLowerCase(), user);
  }

  #addUser(index: number, kind: 'licensed' | 'shared' | 'unlicensed' | 'guest'): void {
    const person = makePerson(this.#seed, index, this.#domain);
    const id = new Dice(this.#seed, 'user', index).uuid();
    const principalName = kind === 'guest' ? `${person.address.replace('@', '_')}#EXT#@${this.#domain}` : person.address;
    const document = userDocument(id, person, principalName, kind);
    const mailbox = kind === 'licensed' || kind === 'shared' ? index : undefined;
    this.#register({ id, mailbox, person, document, sequence: this.nextSequence(), deleted: undefined }, principalName);
  }

  #addGroups(): void {
    const members = this.users.filter(({ document }) => document['userType'] === 'Member');
    this.#addGroup('All Staff', true, members.map(({ id }) => id));
    const departments = new Set(members.map(({ person }) => person.department));
    const ids = [...departments].toSorted().map((name) => this.#addGroup(name, name !== 'Legal', members.filter(({ person }) => person.department === name).map(({ id }) => id)).id);
    this.#addGroup('Departments', false, ids);
  }

  #addGroup(displayName: string, unified: boolean, members: readonly string[]): DirectoryGroup {
    const id = new Dice(this.#seed, 'group', displayName).uuid();
    const mailNickname = displayName.replace(/\s/g, '').toLowerCase();
    const document: Group = {
      id, displayName, description: displayName, mailNickname, mailEnabled: unified, securityEnabled: !unified, groupTypes: unified ? ['Unified'] : [],
      mail: unified ? `${mailNickname}@${this.#domain}` : null, visibility: unified ? 'Private' : null, createdDateTime: isoSeconds(SEED_EPOCH - 86_400_000 * 900),
      proxyAddresses: unified ? [`SMTP:${mailNickname}@${this.#domain}`] : [],
    };
    const sequence = this.nextSequence();
    const group: DirectoryGroup = {
      id, document: document as Properties, members: new Map(members.map((member) => [member, { removed: false, sequence }])), owners: members.slice(0, 1), sequence, deleted: undefined,
    };
    this.groups.push(group);
    return group;
  }
}

function userDocument(id: string, person: Person, principalName: string, kind: string): Properties {
  const licensed = kind === 'licensed';
  const user: User = {
    id, displayName: person.displayName, givenName: person.givenName, surname: person.surname, userPrincipalName: principalName, mail: person.address,
    mailNickname: principalName.split('@')[0] ?? '', department: person.department, jobTitle: person.jobTitle, officeLocation: person.office, city: person.city, country: person.country,
    businessPhones: [person.phone], mobilePhone: null, preferredLanguage: 'en-GB', companyName: 'Contoso', accountEnabled: kind !== 'shared',
    userType: kind === 'guest' ? 'Guest' : 'Member', usageLocation: 'DE', createdDateTime: isoSeconds(SEED_EPOCH - 86_400_000 * 1000),
    proxyAddresses: [`SMTP:${person.address}`], otherMails: [], imAddresses: [person.address],
    assignedLicenses: licensed ? [{ skuId: MAIL_SKU.id, disabledPlans: [] }] : [],
    assignedPlans: licensed ? [{ assignedDateTime: isoSeconds(SEED_EPOCH - 86_400_000 * 999), capabilityStatus: 'Enabled', service: 'exchange', servicePlanId: MAIL_SKU.plan.id }] : [],
  };
  return user as Properties;
}
