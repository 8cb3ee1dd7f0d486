import { expect, test } from 'vitest';
import type { ItemRow } from '../../../../../domain/index.ts';
import { newMessage, type NewMessage } from './newMessage.ts';

function make(lines: readonly string[], meta: object = {}, tag?: string): Promise<NewMessage> {
  const row: ItemRow = {
    key: 'mail/m/A', parent: 'mail/f/B', name: 'Subject of the row', kind: 'mail', size: 1, modified: Date.parse('2026-05-01T10:00:00Z'), change: 'c', meta: JSON.stringify(meta), outcome: '', content: 'x',
  };
  return newMessage(row, Buffer.from(lines.join('\r\n')), tag);
}

const valueOf = ({ body }: NewMessage, id: string): string | undefined =>
  (body['singleValueExtendedProperties'] as { id: string; value: string }[]).find((property) => property.id === id)?.value;

test('a received mail is made as one that was sent and read, at its own times; its state follows from the row', async () => {
  const message = await make(['From: Ann <ann@example.test>', 'To: b@example.test', 'Date: Fri, 1 May 2026 09:59:00 +0000', 'References: <1@x>', 'In-Reply-To: <1@x>', '', 'text'], {
    unread: true, received: '2026-05-01T10:00:05Z', sent: '2026-05-01T09:59:00Z', messageId: '<2@x>', importance: 'high', categories: ['A'], extended: [['Integer 0x1080', '261'], ['Integer 0xe07', '8']],
  }, 'Tag');
  expect(message.body).toMatchObject({
    subject: 'Subject of the row', from: { emailAddress: { name: 'Ann', address: 'ann@example.test' } }, sender: { emailAddress: { address: 'ann@example.test' } },
    toRecipients: [{ emailAddress: { address: 'b@example.test' } }], internetMessageId: '<2@x>', importance: 'high', categories: ['A', 'Tag'], inferenceClassification: 'focused',
  });
  expect(['Integer 0x0E07', 'SystemTime 0x0E06', 'SystemTime 0x0039', 'Integer 0x1080', 'Integer 0xe07', 'String 0x1042', 'String 0x1039'].map((id) => valueOf(message, id)))
    .toEqual(['1', '2026-05-01T10:00:05Z', '2026-05-01T09:59:00Z', '261', undefined, '<1@x>', '<1@x>']);
  expect([message.isRead, message.isDraft, message.losses.codes]).toEqual([false, false, []]);
});

test('a draft stays one', async () => {
  const message = await make(['To: b@example.test', '', 'text'], { draft: true, readReceipt: true });
  expect([message.isDraft, valueOf(message, 'Integer 0x0E07'), message.body['isReadReceiptRequested'], message.losses.codes]).toEqual([true, undefined, true, []]);
});

test('what can not be set is named', async () => {
  const lost = async (lines: readonly string[], meta: object = {}): Promise<readonly string[]> => (await make([...lines, '', 'x'], meta)).losses.codes;
  expect(await lost(['Received: from a', 'X-MS-Exchange-Organization-Id: a'])).toEqual(['headers-lost']);
  expect(await lost(['X-MS-Exchange-Organization-Id: a'])).toEqual([]);
  expect(await lost(['X-1: a', 'X-2: a', 'X-3: a', 'X-4: a', 'X-5: a'])).toEqual([]);
  expect(await lost(['X-1: a', 'X-2: a', 'X-3: a', 'X-4: a', 'X-5: a', 'X-6: a'])).toEqual(['headers-lost']);
  expect(await lost([], { type: '#microsoft.graph.eventMessageRequest' })).toEqual(['type-lost']);
  expect(await lost([], { readReceipt: true })).toEqual(['receipt-lost']);
  expect(await lost(['Content-Type: multipart/signed; boundary=b', '', '--b', '', 'x', '--b--'])).toEqual(['signature-lost']);
});

test('small attachments go along until a request is full; what follows keeps its order; a large one needs a session', async () => {
  const file = (name: string, size: number): string[] => ['--b', `Content-Type: application/x; name=${name}`, 'Content-Disposition: attachment', 'Content-Transfer-Encoding: base64', '', Buffer.alloc(size, 7).toString('base64')];
  const message = await make(['Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'text', ...file('a', 1_000_000), ...file('b', 1_000_000), ...file('c', 10), ...file('d', 4_000_000), '--b--', '']);
  expect([message.along.map(({ name }) => name), message.later.map(({ name, size, document }) => [name, size, document === undefined])])
    .toEqual([['a'], [['b', 1_000_000, false], ['c', 10, false], ['d', 4_000_000, true]]]);
  expect(message.body['attachments']).toMatchObject([{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', contentType: 'application/x' }]);
});

test('a mail in a mail is an item; one with attachments of its own is a file that holds everything, and said to be', async () => {
  const wrap = (inner: readonly string[]): string[] => ['Content-Type: multipart/mixed; boundary=o', '', '--o', '', 'text', '--o', 'Content-Type: message/rfc822', '', ...inner, '--o--', ''];
  const plain = await make(wrap(['From: c@example.test', 'Subject: Inner', 'Date: Fri, 1 May 2026 10:00:00 +0000', '', 'inside']));
  expect(plain.body['attachments']).toMatchObject([{ '@odata.type': '#microsoft.graph.itemAttachment', name: 'Inner', item: { subject: 'Inner', from: { emailAddress: { address: 'c@example.test' } } } }]);
  expect(plain.losses.codes).toEqual([]);
  const inner = ['Subject: Inner', 'Content-Type: multipart/mixed; boundary=i', '', '--i', '', 'inside', '--i', 'Content-Type: application/pdf; name=p.pdf', 'Content-Disposition: attachment', '', 'pdf', '--i--'];
  const rich = await make(wrap(inner));
  expect(rich.body['attachments']).toMatchObject([{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'mail.eml', contentType: 'message/rfc822' }]);
  const [attachment] = rich.body['attachments'] as { contentBytes: string }[];
  expect(Buffer.from(attachment?.contentBytes ?? '', 'base64').toString()).toContain('p.pdf');
  expect(rich.losses.codes).toEqual(['mail-as-file']);
});
