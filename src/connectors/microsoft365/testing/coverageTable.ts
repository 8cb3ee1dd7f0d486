import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

const PAGE = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'coverage', 'exchange.md');
/** Why a field of an item that is made anew may differ. A field that differs and is not here fails the test. */
const REASONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mail: {
    '@odata.etag': 'of the service',
    bodyPreview: 'the service makes it of the body',
    changeKey: 'of the service',
    conversationId: 'the service gives it; the place in the conversation (conversationIndex) is kept',
    createdDateTime: 'the time of the restore',
    id: 'the service gives it',
    internetMessageHeaders: 'only fields that begin with X- can be set, five at most',
    lastModifiedDateTime: 'the time of the restore',
    parentFolderId: 'of the folder where it lies now; its path is the same',
    webLink: 'the service gives it',
  },
  contact: {
    '@odata.etag': 'of the service',
    changeKey: 'of the service',
    createdDateTime: 'the time of the restore',
    id: 'the service gives it',
    lastModifiedDateTime: 'the time of the restore',
    parentFolderId: 'of the folder where it lies now; its path is the same',
  },
  task: {
    '@odata.etag': 'of the service',
    bodyLastModifiedDateTime: 'the time of the restore',
    createdDateTime: 'the time of the restore',
    id: 'the service gives it',
    lastModifiedDateTime: 'the time of the restore',
  },
  event: {
    '@odata.etag': 'of the service',
    attendees: 'nobody is invited; the list is kept in a property of the event',
    changeKey: 'of the service',
    createdDateTime: 'the time of the restore',
    iCalUId: 'the service gives it',
    isCancelled: 'it takes place, as far as the service knows',
    isOnlineMeeting: 'a link of a new one would be of no use',
    isOrganizer: 'the owner of the mailbox that it is in now is the organizer',
    onlineMeeting: 'see isOnlineMeeting',
    onlineMeetingProvider: 'see isOnlineMeeting',
    responseStatus: 'the owner of the mailbox that it is in now is the organizer',
    id: 'the service gives it',
    lastModifiedDateTime: 'the time of the restore',
    organizer: 'the owner of the mailbox that it is in now',
    singleValueExtendedProperties: 'holds the list of attendees',
    transactionId: 'of who made the event first',
    webLink: 'the service gives it',
  },
};

/** Holds the table of the page for one kind of items against what a test found; with UPDATE_DOCS=1 writes it instead. */
export function expectCoverage(kind: string, shown: Readonly<Record<string, unknown>>, differing: readonly string[]): void {
  const head = `| field of ${kind === 'event' ? 'an' : 'a'} ${kind} | made anew |\n|---|---|\n`;
  const reasons = REASONS[kind] ?? {};
  for (const name of differing) expect(Object.keys(reasons)).toContain(name);
  const rows = Object.keys(shown).sort().map((name) => `| \`${name}\` | ${differing.includes(name) ? `differs: ${reasons[name] ?? ''}` : 'as it was'} |`);
  expectTable(head, rows);
}

function expectTable(head: string, rows: readonly string[]): void {
  const table = `${head}${rows.join('\n')}\n`;
  const page = readFileSync(PAGE, 'utf8');
  const start = page.indexOf(head);
  expect(start, `the page has a table that begins with ${head}`).toBeGreaterThan(0);
  const end = page.indexOf('\n\n', start) + 1;
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, page.slice(0, start) + table + page.slice(end));
  else expect(page.slice(start, end), 'UPDATE_DOCS=1 writes the table anew').toBe(table);
}

/** Of what comes back as a stream; a field that differs and is not here fails the test. */
const OF_STREAM: Readonly<Record<string, string>> = {
  '@odata.etag': 'of the service', changeKey: 'of the service', id: 'the service gives it', folderId: 'of the folder where it lies now', lastModifiedDateTime: 'the time of the restore',
  parentFolderId: 'of the folder where it lies now',
};

/** Holds the table of what comes back as a stream, a row for each kind, against what a test found; with UPDATE_DOCS=1 writes it instead. */
export function expectStreamCoverage(differing: Readonly<Record<string, readonly string[]>>): void {
  for (const names of Object.values(differing)) for (const name of names) expect(Object.keys(OF_STREAM)).toContain(name);
  const shown = (names: readonly string[]): string => names.filter((name) => name !== 'folderId').map((name) => `\`${name}\``).join(', ');
  expectTable('| as a stream | fields that differ |\n|---|---|\n', Object.entries(differing).map(([kind, names]) => `| ${kind} | ${shown(names)} |`));
}
