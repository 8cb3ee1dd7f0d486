import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MOST_TEXT, readMailText } from './mailText.ts';

const read = (lines: readonly string[], encoding: BufferEncoding = 'utf8') => readMailText(Buffer.from(lines.join('\r\n'), encoding));
const part = (...lines: readonly string[]): string[] => ['--b', ...lines];
const multipart = (kind: string, ...parts: readonly string[][]): string[] => [`Content-Type: multipart/${kind}; boundary="b"`, '', ...parts.flat(), '--b--', ''];
const words = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

test('reads people, body and attachments', async () => {
  const mail = await read([
    'From: "Meier, Ann" <ann@a.test>', 'Sender: Office <office@a.test>', 'To: Team: bob@b.test, Cleo <cleo@c.test>;', 'Cc: =?utf-8?Q?J=C3=B6rg?= <j@d.test>', 'Bcc: secret@e.test',
    ...multipart('mixed',
      part('Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: quoted-printable', '', 'Gr=FC=DFe', ''),
      part('Content-Type: text/csv; name=table.csv', 'Content-Disposition: attachment; filename="table.csv"', 'Content-Transfer-Encoding: base64', '', Buffer.from('one;two').toString('base64'), ''),
      part('Content-Type: application/pdf', 'Content-Disposition: attachment; filename="=?utf-8?B?w6QucGRm?="', '', 'not read', '')),
  ]);
  expect(words(mail.authors)).toBe('Meier, Ann ann@a.test Office office@a.test');
  expect(words(mail.recipients)).toBe('Team bob@b.test Cleo cleo@c.test Jörg j@d.test secret@e.test');
  expect(words(mail.text)).toBe('Grüße one;two');
  expect(mail.files).toBe('table.csv\nä.pdf');
});

test('of a body in two forms the text is read, and the HTML where the text is missing or a stub', async () => {
  const html = part('Content-Type: text/html', '', '<p>Dear <b>re</b>ader, this is the whole letter with all that it says.</p>', '');
  const alternative = async (text: string) => words((await read(multipart('alternative', part('Content-Type: text/plain', '', text, ''), html))).text);
  expect(await alternative('Dear reader, this is the letter as a text, with nearly all that it says.')).toBe('Dear reader, this is the letter as a text, with nearly all that it says.');
  expect(await alternative('See HTML.')).toBe('See HTML. Dear reader, this is the whole letter with all that it says.');
  expect(words((await read(['Content-Type: text/html', '', '<style>p{}</style><title>no</title><h1>One</h1><p>two<br>three<script>no</script> f&ouml;ur<td>five<img alt="six">'])).text))
    .toBe('One two three för five six'.replace('för', 'föur'));
});

test('reads mails in mails, attached ones too, down to a bound', async () => {
  const inner = ['From: Eve <eve@e.test>', 'Subject: Inner', '', 'inner words'];
  const attached = await read(multipart('mixed', part('Content-Type: text/plain', '', 'outer', ''),
    part('Content-Type: message/rfc822', 'Content-Disposition: attachment; filename=inner.eml', '', ...inner, '')));
  expect(words(attached.text)).toContain('outer inner words Inner Eve eve@e.test');
  expect(attached.files).toBe('inner.eml');
  const inline = await read(multipart('mixed', part('Content-Type: message/rfc822', '', ...inner, '')));
  for (const word of ['Inner', 'eve@e.test', 'inner words']) expect(inline.text).toContain(word);
  const nest = (depth: number): string[] => (depth === 0 ? ['Subject: deep', '', 'bottom']
    : [`Subject: level ${depth}`, 'Content-Type: message/rfc822', 'Content-Disposition: attachment', '', ...nest(depth - 1)]);
  expect((await read(nest(3))).text).toContain('bottom');
  expect((await read(nest(50))).text).not.toContain('bottom');
});

test('a text attachment is read by its mark, as UTF-8, by a charset that the mail names, or at last as western', async () => {
  const attach = (bytes: Buffer, charset = '') => read(multipart('mixed',
    part(`Content-Type: text/plain${charset === '' ? '' : `; charset=${charset}`}`, 'Content-Disposition: attachment', 'Content-Transfer-Encoding: base64', '', bytes.toString('base64'), '')));
  expect((await attach(Buffer.from('\ufeffwide', 'utf16le'))).text).toContain('wide');
  expect((await attach(Buffer.from('grün'))).text).toContain('grün');
  expect((await attach(Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), 'windows-1251')).text).toContain('Привет');
  expect((await attach(Buffer.from([0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42]))).text).toContain('日本');
  expect((await attach(Buffer.from('grün', 'latin1'), 'no-such')).text).toContain('grün');
});

test('text attachments are known by type or name, whatever they are', async () => {
  const attach = (type: string, name: string, content: string) => part(`Content-Type: ${type}`, `Content-Disposition: attachment; filename="${name}"`,
    'Content-Transfer-Encoding: base64', '', Buffer.from(content).toString('base64'), '');
  const mail = await read(multipart('mixed',
    attach('application/octet-stream', 'notes.md', '# Plan *one*'), attach('application/json', 'data', '{"two": "three"}'), attach('text/html', 'page.htm', '<p>fo<b>ur'),
    attach('application/octet-stream', 'call.ics', 'BEGIN:VEVENT\r\nSUMMARY:five\r\nEND:VEVENT'), attach('text/vcard', 'card', 'BEGIN:VCARD\r\nFN:Six\r\nPHOTO;ENCODING=b:aWdub3JlZA==\r\nEND:VCARD'),
    attach('application/octet-stream', 'letter.eml', 'From: Eve <eve@e.test>\r\nSubject: Seven\r\n\r\neight'), attach('application/octet-stream', 'photo.jpg', 'nine'), attach('text/css', 'style.txt', 'ten')));
  expect(words(mail.text)).toBe('# Plan *one* {"two": "three"} four five Six eight Seven Eve eve@e.test');
  expect(mail.files.split('\n')).toHaveLength(8);
});

test('is bounded in length, also where HTML or an attachment makes more of little', async () => {
  const long = 'word '.repeat(400_000);
  expect((await read(['Content-Type: text/plain', '', long])).text.length).toBe(MOST_TEXT);
  expect((await read(['Content-Type: text/html', '', `<p>${long}`])).text.length).toBeLessThanOrEqual(MOST_TEXT);
  expect((await read(['Content-Type: text/html', '', '<div>'.repeat(100_000), 'deep'])).text).toContain('deep');
  const parts = Array.from({ length: 5 }, () => part('Content-Type: text/plain', 'Content-Disposition: attachment', '', long, ''));
  expect((await read(multipart('mixed', ...parts))).text.length).toBeLessThanOrEqual(MOST_TEXT);
  expect((await read([`To: ${'someone@example.test, '.repeat(10_000)}`, '', ''])).recipients.length).toBeLessThanOrEqual(64 * 1024);
});

test('broken mails give text or an error, and nothing else', async () => {
  const line = fc.oneof(
    fc.constantFrom('Content-Type: multipart/mixed; boundary="b"', 'Content-Type: multipart/alternative; boundary=b', 'Content-Type: message/rfc822', 'Content-Type: text/html; charset=utf-7',
      'Content-Type: text/plain; charset=big5', 'Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: quoted-printable', 'Content-Disposition: attachment; filename*=utf-8\'\'%', 'From: <', 'To: a:b:c;', '--b', '--b--', '', ''),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );
  await fc.assert(fc.asyncProperty(fc.array(line, { maxLength: 40 }), async (lines) => {
    const mail = await readMailText(Buffer.from(lines.join('\r\n'), 'latin1'));
    for (const text of Object.values(mail)) expect(typeof text).toBe('string');
  }), { numRuns: 300 });
});
