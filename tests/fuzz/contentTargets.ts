import { decodeItemMeta } from '../../src/connectors/folder/itemMeta.ts';
import { parseCursor } from '../../src/connectors/imap/cursorState.ts';
import { parseFolderMeta } from '../../src/connectors/imap/folderItem.ts';
import { parseInternalDate } from '../../src/connectors/imap/internalDate.ts';
import { fingerprint, parseMailMeta, readMessage } from '../../src/connectors/imap/messageItem.ts';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from '../../src/connectors/imap/modifiedUtf7.ts';
import { parseUidSet } from '../../src/connectors/imap/uidSet.ts';
import { parseObject } from '../../src/connectors/microsoft365/exchange/items/folders.ts';
import { parseSyncCursor } from '../../src/connectors/microsoft365/exchange/items/syncCursor.ts';
import { parseMailCursor } from '../../src/connectors/microsoft365/exchange/mail/mailCursor.ts';
import { parseFolderMeta as parseExchangeFolder } from '../../src/connectors/microsoft365/exchange/mail/mailFolders.ts';
import { parseMessageMeta, parsePeople } from '../../src/connectors/microsoft365/exchange/mail/messageItem.ts';
import { formatOrigin, parseOrigin } from '../../src/connectors/microsoft365/exchange/restore/origin.ts';
import { mailHeaderLength, readMailParts, readMailSummary } from '../../src/formats/index.ts';
import { decodeBase64Lines, encodeBase64Lines } from '../../src/repository/base64Lines.ts';
import { splitParts } from '../../src/repository/parts.ts';
import { decodeOps, decodeRecipe, encodeOps, encodeRecipe, recipeIds } from '../../src/repository/recipe.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { random } from './fuzzWorld.ts';

const folded = (bytes: Buffer, line: number, end: string): string => (bytes.toString('base64').match(new RegExp(`.{1,${line}}`, 'g')) ?? []).join(end);
const mail = (line: number, end: string): Buffer => Buffer.from([
  'From: =?utf-8?B?w5xuw68=?= <a@example.test>, "b, c" <d@example.test>', 'Subject: =?iso-8859-1?Q?=E4?=', ' folded', 'Date: Mon, 23 Nov 2026 10:00:00 +0100',
  'Message-ID: <1@example.test>', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: application/x',
  'Content-Transfer-Encoding: base64', '', folded(random(5000), line, end), '--b', 'content-transfer-encoding: BASE64', '', folded(random(4500), line, end), '--b--', '',
].join(end));
const mails = [mail(76, '\r\n'), mail(60, '\n')];
const MAIL_WORDS = ['Content-Transfer-Encoding: base64\r\n\r\n', 'content-transfer-encoding:', '\r\n', '\n', '--b', '=', '====', '=?utf-8?Q?', '?=', '<', '>', ',', ':', ';'];
const blob = random(24).toString('latin1');
const refs = [{ id: blob, length: 70_000 }, { id: blob, length: 3 }];
const layout = { lineLength: 76, eol: 'crlf', finalEol: true } as const;
const ops = [{ blobs: refs }, { blobs: refs, base64: layout }];
const sha256 = random(32).toString('latin1');
const recipes = [
  encodeRecipe({ type: 'blob', id: blob }), encodeRecipe({ type: 'ops', sha256, ops }), encodeRecipe({ type: 'stored', sha256, ops: refs }),
].map((text) => Buffer.from(text, 'latin1'));
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Whoever reads the whole cursor tells JSON from other text. */
function jsonOf(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString());
  } catch {
    return undefined;
  }
}

/** What the parts of a message give back, end to end. */
function joined(input: Buffer): Buffer {
  const pieces = (splitParts(input) ?? []).map((part) => {
    if (part.kind === 'raw') return input.subarray(part.start, part.end);
    const text = Buffer.alloc(part.end - part.start);
    encodeBase64Lines(part.decoded, part.layout, text, 0);
    return text;
  });
  return Buffer.concat(pieces);
}

export const contentTargets: readonly FuzzTarget[] = [
  {
    name: 'recipe', samples: recipes,
    run: (input) => {
      const recipe = decodeRecipe(input.toString('latin1'));
      const ids = [...recipeIds(recipe)];
      if (ids.length > input.length / 24) throw new Error('a recipe names more blobs than it has room for');
    },
  },
  { name: 'ops', samples: [Buffer.from(encodeOps(ops), 'latin1')], run: (input) => { encodeOps(decodeOps(input.toString('latin1'))); } },
  {
    name: 'mail-parts', samples: mails, words: MAIL_WORDS,
    run: (input) => {
      const split = splitParts(input);
      if (split && !joined(input).equals(input)) throw new Error('the parts do not give back the message');
    },
  },
  {
    name: 'base64-lines', samples: [Buffer.from(folded(random(600), 76, '\r\n')), Buffer.from(`${folded(random(601), 64, '\n')}\n`)], words: ['=', '==', '\r\n', '\n', '-', 'AAAA'],
    run: (input) => {
      const run = decodeBase64Lines(input, 0, 1);
      if (!run) return;
      const text = Buffer.alloc(run.end);
      encodeBase64Lines(run.decoded, run.layout, text, 0);
      if (!text.equals(input.subarray(0, run.end))) throw new Error('the lines do not come out as they were');
    },
  },
  {
    name: 'mail-header', samples: mails.map((one) => one.subarray(0, 300)), words: MAIL_WORDS,
    run: (input) => {
      readMailSummary(input);
      fingerprint(input.subarray(0, mailHeaderLength(input)));
      const item = { key: 'k', parent: 'f', name: '', kind: 'mail', size: 3, modified: null, change: '', meta: '{}' };
      parseMailMeta(readMessage(item, input, input.length).meta);
    },
  },
  {
    name: 'mail-taken-apart', samples: mails, words: [...MAIL_WORDS, 'Content-Type: message/rfc822\r\n\r\n', 'Content-Type: text/html\r\n', 'Content-Disposition: inline\r\n'],
    run: async (input) => {
      try {
        await readMailParts(input);
      } catch (error) {
        // The limits of the parser are its right answer.
        if (!(error instanceof Error) || !/nesting|header/i.test(error.message)) throw error;
      }
    },
  },
  {
    name: 'mail-origin', samples: [Buffer.from(formatOrigin({ source: 'AAMk', content: 'c', beside: true, whole: false }))], words: [' ', 'beside', 'place', 'whole', 'part', '1'],
    run: (input) => {
      const text = input.toString();
      const origin = parseOrigin(text);
      if (origin !== undefined && formatOrigin(origin) !== text) throw new Error('an origin reads as another one');
    },
  },
  { name: 'mail-meta', samples: [json({ flags: ['\\Seen'], internalDate: 1, fp: 'x', listedSize: 4 })], run: (input) => { parseMailMeta(input.toString()); } },
  { name: 'mail-folder-meta', samples: [json({ path: 'INBOX', subscribed: true, delimiter: '/' })], run: (input) => { parseFolderMeta(input.toString()); } },
  { name: 'mail-cursor', samples: [json({ version: 1, nextNumber: 3, folders: [{ number: 1, path: 'INBOX' }] })], run: (input) => { parseCursor(input.toString()); } },
  { name: 'message-meta', samples: [json({ from: 'A <a@example.test>', to: '', categories: ['x'], extended: [['String 0x1', 'y']], mark: 'z', unread: true })], run: (input) => { parsePeople(parseMessageMeta(input.toString()).from); } },
  { name: 'message-folder-meta', samples: [json({ wellKnown: 'inbox', hidden: true, count: 3 })], run: (input) => { parseExchangeFolder(input.toString()); } },
  { name: 'folder-document', samples: [json({ name: 'Calendar', color: 'auto', owner: { name: 'A', address: 'a@example.test' } })], run: (input) => { parseObject(input.toString()); } },
  {
    name: 'message-cursor', samples: [json({ folders: 'https://example.test/d', root: 'r', messages: { f: 'https://example.test/m' }, retry: true })],
    run: (input) => { parseMailCursor(jsonOf(input)); },
  },
  {
    name: 'sync-cursor', samples: [json({ base: '/users/1', folders: 'https://example.test/d', items: { f: 'https://example.test/m' }, retry: true })],
    run: (input) => { parseSyncCursor(jsonOf(input)); },
  },
  {
    name: 'mailbox-name', samples: [Buffer.from(encodeModifiedUtf7('Entwürfe & mehr/日本'))], words: ['&', '-', '&-', ',', '&AAAA-'],
    run: (input) => { encodeModifiedUtf7(decodeModifiedUtf7(input.toString())); },
  },
  {
    // Of a server, not stored; what is no set is told as such.
    name: 'uid-set', samples: [Buffer.from('1:4,9,12:10'), Buffer.from('')], words: [':', ',', '4294967295', '*', '-1', '1e9', 'Infinity'],
    run: (input) => {
      try {
        if (parseUidSet(input.toString()).some(([first, last]) => first > last)) throw new Error('a range that goes backwards');
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    },
  },
  { name: 'mail-date', samples: [Buffer.from('23-Nov-2026 10:00:00 +0100')], words: ['-', ' ', '+', '99', 'Feb'], run: (input) => { parseInternalDate(input.toString()); } },
  { name: 'file-meta', samples: [json({ m: '644', u: 0, g: 0, t: '1700000000000000000', l: 'x' })], run: (input) => { decodeItemMeta(input.toString()); } },
];
