import type { RandomBytes } from '../../src/runtime/index.ts';

/** A part with a file in base64. */
export interface Attachment {
  readonly name: string;
  readonly bytes: Buffer;
  /** Characters a line; 76 unless told. */
  readonly line?: number;
}

/** A mail of our own making. `eol` is what ends its lines. */
export function mail(subject: string, attachments: readonly Attachment[] = [], eol = '\r\n'): Buffer {
  const head = [
    'From: Ada Example <ada@example.test>', 'To: Ben Example <ben@example.test>', `Subject: ${subject}`,
    'Date: Mon, 05 Jan 2026 09:30:00 +0000', `Message-ID: <${subject.replaceAll(' ', '.')}@example.test>`, 'MIME-Version: 1.0',
  ];
  const text = [`This is the text of "${subject}".`, '', 'Yours', 'Ada', ''];
  if (attachments.length === 0) {
    return Buffer.from([...head, 'Content-Type: text/plain; charset=utf-8', '', ...text].join(eol));
  }
  const parts = attachments.flatMap(({ name, bytes, line = 76 }) => [
    '--=_part', 'Content-Type: application/octet-stream', 'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${name}"`, '',
    ...(bytes.toString('base64').match(new RegExp(`.{1,${line}}`, 'g')) ?? []),
  ]);
  return Buffer.from([
    ...head, 'Content-Type: multipart/mixed; boundary="=_part"', '', '--=_part', 'Content-Type: text/plain', '', ...text, ...parts, '--=_part--', '',
  ].join(eol));
}

/** Words in random order: text that compresses as text does. */
export function prose(random: RandomBytes, length: number): Buffer {
  const words = 'house boat river winter letter garden stone window bread morning'.split(' ');
  const text: string[] = [];
  for (let made = 0; made < length; made += 7) text.push(words[random(1).readUInt8(0) % words.length] ?? '');
  return Buffer.from(text.join(' ')).subarray(0, length);
}
