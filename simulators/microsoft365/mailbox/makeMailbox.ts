import { isShared } from '../directory/directory.ts';
import { seededContacts } from '../seed/contacts.ts';
import { seededEvents } from '../seed/events.ts';
import { seededMessages } from '../seed/messages.ts';
import type { Owner } from '../seed/owner.ts';
import { diceOf } from '../seed/owner.ts';
import { seededNotes, seededTasks } from '../seed/tasks.ts';
import { HIDDEN_MAIL, WELL_KNOWN_MAIL } from './folder.ts';
import { Mailbox } from './mailbox.ts';
import type { SeededItems } from './shelf.ts';

/** Shares of a mailbox's items. What is left over lies in the inbox. */
const SHARES: Readonly<Record<string, number>> = {
  sentitems: 0.2, deleteditems: 0.05, archive: 0.1, drafts: 0.01, junkemail: 0.02, recoverableitemsdeletions: 0.03,
  newsletters: 0.06, projects: 0.02, atlas: 0.06, borealis: 0.04, invoices: 0.05, contacts: 0.04, suppliers: 0.01, calendar: 0.06, team: 0.02, tasks: 0.03, errands: 0.01, notes: 0.01,
};
const CATEGORY_COLOURS: readonly (readonly [string, string])[] = [
  ['Blue category', 'preset7'], ['Red category', 'preset0'], ['Customer', 'preset4'], ['Follow up', 'preset1'], ['Travel', 'preset9'],
];

/** Makes a mailbox of about `items` items. Costs the same whatever their number: contents are made when asked for. */
export function makeMailbox(owner: Owner, userId: string, tenantId: string, items: number): Mailbox {
  const mailbox = new Mailbox(owner, userId, tenantId);
  const counts = new Map(Object.entries(SHARES).map(([name, share]) => [name, Math.floor(items * share)]));
  const used = [...counts.values()].reduce((sum, count) => sum + count, 0);
  counts.set('inbox', items - used);
  addMailFolders(mailbox, counts);
  addOtherFolders(mailbox, counts);
  mailbox.categories.push(...CATEGORY_COLOURS.map(([displayName, color]) => ({ id: diceOf(owner, 'category', displayName).uuid(), displayName, color })));
  mailbox.settings = {
    archiveFolder: mailbox.ids.folder(mailbox.folderByWellKnown('archive')?.number ?? 0), timeZone: 'W. Europe Standard Time', dateFormat: 'dd.MM.yyyy', timeFormat: 'HH:mm',
    language: { locale: 'en-GB', displayName: 'English (United Kingdom)' }, userPurpose: isShared(owner.index) ? 'shared' : 'user', delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
    automaticRepliesSetting: { status: 'disabled', externalAudience: 'all', internalReplyMessage: '', externalReplyMessage: '' },
    workingHours: { daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'], startTime: '08:00:00.0000000', endTime: '17:00:00.0000000', timeZone: { name: 'W. Europe Standard Time' } },
  };
  return mailbox;
}

function addMailFolders(mailbox: Mailbox, counts: ReadonlyMap<string, number>): void {
  const { owner } = mailbox;
  const mail = (name: string): { items: SeededItems; unread: number } => {
    const count = counts.get(name) ?? 0;
    const unread = name === 'inbox' ? Math.min(count, 12) : 0;
    return { items: seededMessages(owner, { name, count, own: name === 'sentitems' || name === 'drafts', drafts: name === 'drafts', unread }), unread };
  };
  const root = mailbox.addFolder({ class: 'IPF.Note', name: 'Top of Information Store', parent: undefined, wellKnown: 'msgfolderroot' }).number;
  for (const [wellKnown, name] of WELL_KNOWN_MAIL) mailbox.addFolder({ class: 'IPF.Note', name, parent: root, wellKnown, ...mail(wellKnown) });
  const hiddenRoot = mailbox.addFolder({ class: 'IPF.Note', name: 'Recoverable Items', parent: undefined, wellKnown: 'recoverableitemsroot', hidden: true }).number;
  for (const [wellKnown, name] of HIDDEN_MAIL) mailbox.addFolder({ class: 'IPF.Note', name, parent: hiddenRoot, wellKnown, hidden: true, ...mail(wellKnown) });
  mailbox.addFolder({ class: 'IPF.Note', name: 'Purges', parent: hiddenRoot, wellKnown: 'recoverableitemspurges', hidden: true });
  mailbox.addFolder({ class: 'IPF.Note', name: 'Newsletters', parent: mailbox.folderByWellKnown('inbox')?.number, ...mail('newsletters') });
  const projects = mailbox.addFolder({ class: 'IPF.Note', name: 'Projects', parent: root, ...mail('projects') }).number;
  mailbox.addFolder({ class: 'IPF.Note', name: 'Atlas', parent: projects, ...mail('atlas') });
  mailbox.addFolder({ class: 'IPF.Note', name: 'Borealis / Übergabe', parent: projects, ...mail('borealis') });
  mailbox.addFolder({ class: 'IPF.Note', name: 'Invoices', parent: root, ...mail('invoices') });
}

function addOtherFolders(mailbox: Mailbox, counts: ReadonlyMap<string, number>): void {
  const { owner } = mailbox;
  const root = 0;
  const count = (name: string): number => counts.get(name) ?? 0;
  const contacts = mailbox.addFolder({ class: 'IPF.Contact', name: 'Contacts', parent: root, wellKnown: 'contacts', items: seededContacts(owner, 'contacts', count('contacts')) });
  mailbox.addFolder({ class: 'IPF.Contact', name: 'Suppliers', parent: contacts.number, items: seededContacts(owner, 'suppliers', count('suppliers')) });
  mailbox.addFolder({ class: 'IPF.Appointment', name: 'Calendar', parent: root, wellKnown: 'calendar', extra: { color: 'auto' }, items: seededEvents(owner, 'calendar', count('calendar')) });
  mailbox.addFolder({ class: 'IPF.Appointment', name: 'Team', parent: root, extra: { color: 'lightBlue' }, items: seededEvents(owner, 'team', count('team')) });
  mailbox.addFolder({ class: 'IPF.Task', name: 'Tasks', parent: root, wellKnown: 'defaultList', items: seededTasks(owner, 'tasks', count('tasks')) });
  mailbox.addFolder({ class: 'IPF.Task', name: 'Flagged Emails', parent: root, wellKnown: 'flaggedEmails' });
  mailbox.addFolder({ class: 'IPF.Task', name: 'Errands', parent: root, items: seededTasks(owner, 'errands', count('errands')) });
  mailbox.addFolder({ class: 'IPF.StickyNote', name: 'Notes', parent: root, wellKnown: 'notes', items: seededNotes(owner, 'notes', count('notes')) });
}
