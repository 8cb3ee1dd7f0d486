import { expect, test } from 'vitest';
import { readMailParts } from './mailParts.ts';

const read = (lines: readonly string[]) => readMailParts(Buffer.from(lines.join('\r\n')));
const INNER = ['From: c@example.test', 'Subject: Inner', '', 'inside', ''];

test('people, times and fields come with their words decoded, groups by their members', async () => {
  const mail = await read([
    'From: =?utf-8?B?QW5uIE3DvGxsZXI=?= <ann@example.test>', 'Sender: desk@example.test', 'To: Team: b@example.test, "C, D" <c@example.test>;, e@example.test',
    'Cc: f@example.test', 'Reply-To: g@example.test', 'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=', 'Message-ID: <1@example.test>', 'Date: Fri, 1 May 2026 10:00:00 +0200', 'X-Own: a', ' b', '', 'text', '',
  ]);
  expect(mail).toMatchObject({
    subject: 'Grüße', from: { name: 'Ann Müller', address: 'ann@example.test' }, sender: { name: '', address: 'desk@example.test' },
    to: [{ address: 'b@example.test' }, { name: 'C, D', address: 'c@example.test' }, { address: 'e@example.test' }],
    cc: [{ address: 'f@example.test' }], bcc: [], replyTo: [{ address: 'g@example.test' }],
    messageId: '<1@example.test>', sent: Date.parse('2026-05-01T08:00:00Z'), parts: [], protection: undefined,
  });
  expect(mail.body.html).toBe(false);
  expect(mail.body.text.trim()).toBe('text');
  expect(mail.headers).toContainEqual({ name: 'X-Own', value: 'a b' });
});

test('HTML goes before the text that says the same; files, pictures in the text and mails in the mail are parts', async () => {
  const mail = await read([
    'Subject: a', 'Content-Type: multipart/mixed; boundary=m', '',
    '--m', 'Content-Type: multipart/related; boundary=r', '',
    '--r', 'Content-Type: multipart/alternative; boundary=a', '', '--a', 'Content-Type: text/plain', '', 'plain', '--a', 'Content-Type: text/html', '', '<p>rich</p>', '--a--',
    '--r', 'Content-Type: image/png', 'Content-Transfer-Encoding: base64', 'Content-Disposition: inline; filename="logo.png"', 'Content-ID: <logo@x>', '', 'AAEC', '--r--',
    '--m', 'Content-Type: application/pdf; name="=?utf-8?B?w5xiZXIucGRm?="', 'Content-Transfer-Encoding: base64', 'Content-Disposition: attachment', '', '/wA=',
    '--m', 'Content-Type: message/rfc822', '', ...INNER, '--m--', '',
  ]);
  expect([mail.body.html, mail.body.text.trim()]).toEqual([true, '<p>rich</p>']);
  expect(mail.parts.map(({ name, type, inline, contentId }) => [name, type, inline, contentId])).toEqual([
    ['logo.png', 'image/png', true, 'logo@x'], ['Über.pdf', 'application/pdf', false, ''], ['', 'message/rfc822', false, ''],
  ]);
  expect([...mail.parts[0]?.bytes ?? []]).toEqual([0, 1, 2]);
  expect(Buffer.from(mail.parts[2]?.bytes ?? []).toString()).toContain('Subject: Inner');
});

test('what is signed or encrypted is told', async () => {
  const protection = async (type: string): Promise<string | undefined> => (await read([`Content-Type: ${type}`, '', '--b', '', 'x', '--b--', ''])).protection;
  expect(await protection('multipart/signed; boundary=b')).toBe('signed');
  expect(await protection('multipart/encrypted; boundary=b')).toBe('encrypted');
  expect(await protection('application/pkcs7-mime; smime-type=enveloped-data')).toBe('encrypted');
  expect(await protection('application/pkcs7-mime; smime-type=signed-data')).toBe('signed');
  expect(await protection('multipart/mixed; boundary=b')).toBe(undefined);
});
