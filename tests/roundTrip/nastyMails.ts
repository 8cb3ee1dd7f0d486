import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NastyMail {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface MailSet {
  /** Where they are from; tests put it into their names. */
  readonly origin: string;
  readonly mails: readonly NastyMail[];
}

/** Mails of many programs, broken ones too. Not everywhere: it is wider input, not the only one. */
const CORPUS = join(import.meta.dirname, '..', '..', '..', 'shared', 'reference', 'corpus', 'eml');

export function nastyMails(): MailSet {
  const made = madeUp();
  if (!existsSync(CORPUS)) return { origin: `${made.length} made-up mails (${CORPUS} is not there)`, mails: made };
  const mails = readdirSync(CORPUS).sort().map((name) => ({ name, bytes: readFileSync(join(CORPUS, name)) }));
  return { origin: `${mails.length} mails of the corpus and ${made.length} made-up ones`, mails: [...mails, ...made] };
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What mail programs stumble over, one kind a mail, each in a few sizes. */
function madeUp(): NastyMail[] {
  const head = 'From: a@example.test\r\nDate: Tue, 02 Jan 2024 03:04:05 +0100\r\n';
  const every = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1));
  const base64 = (size: number, width: number, end: string): string =>
    Buffer.alloc(size, 'holdfast').toString('base64').replace(new RegExp(`.{${width}}`, 'g'), (line) => line + end);
  const attached = (body: string, encoding: string): string =>
    `${head}Subject: part\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n`
    + `Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n--b--\r\n`;
  const kinds: Record<string, Buffer> = {
    'no header': latin1('\r\njust a body\r\n'),
    'no body': latin1(`${head}Subject: x\r\n\r\n`),
    'no end of header': latin1(`${head}Subject: x`),
    'one byte': latin1('x'),
    'only line ends': latin1('\r\n\r\n\r\n'),
    'bare line feeds': latin1(`${head}Subject: bare\r\n\r\n`.replaceAll('\r', '') + 'a\nb\n'),
    'bare carriage returns': latin1(`${head}Subject: cr\r\n\r\na\rb\rc`),
    'mixed line ends': latin1(`${head}Subject: mixed\n\r\na\nb\r\nc\r\r\n`),
    'every byte': Buffer.concat([latin1(`${head}Subject: `), every, latin1('\r\n\r\n'), every]),
    'unknown charset': latin1(`${head}Subject: =?klingon?Q?a?= =?utf-8?B?/w==?=\r\n\r\nx\r\n`),
    'long line': latin1(`${head}Subject: ${'y'.repeat(70_000)}\r\n\r\n${'x'.repeat(200_000)}`),
    'from line': latin1(`From a@example.test Tue Jan  2 03:04:05 2024\r\n${head}\r\nFrom here on\r\n>From there\r\n`),
    'header twice': latin1(`${head}Subject: a\r\nSubject: b\r\nMessage-ID: <1@x>\r\nMessage-ID: <2@x>\r\n\r\nx`),
    'folded to nothing': latin1(`${head}Subject:\r\n \r\n \r\n\t\r\n\r\nx`),
    'part without end': latin1(attached(base64(9000, 76, '\r\n'), 'base64').replace('--b--\r\n', '')),
    'base64 well': latin1(attached(base64(30_000, 76, '\r\n'), 'base64')),
    'base64 narrow': latin1(attached(base64(30_000, 40, '\r\n'), 'base64')),
    'base64 bare': latin1(attached(base64(30_000, 76, '\n'), 'base64')),
    'base64 broken': latin1(attached(`${base64(30_000, 76, '\r\n')}=AB=!`, 'base64')),
    'quoted-printable cut': latin1(attached(`=E4=B${'x=\r\n'.repeat(3000)}=`, 'quoted-printable')),
    'deep': latin1(head + Array.from({ length: 60 }, (_, i) => `Content-Type: multipart/mixed; boundary="n${i}"\r\n\r\n--n${i}\r\n`).join('')),
    'dot lines': latin1(`${head}Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n`),
  };
  return Object.entries(kinds).flatMap(([name, bytes]) => [
    { name, bytes }, { name: `${name}, again`, bytes }, { name: `${name}, longer`, bytes: Buffer.concat([bytes, latin1('\r\nmore\r\n')]) },
  ]);
}
