import { isHarmless } from '../../src/formats/preview/isHarmless.ts';
import { PreviewFailure } from '../../src/formats/preview/previewFailure.ts';
import { readDocument, readPart, readPartPreview, readPreview, type PreviewSource } from '../../src/formats/preview/readPreview.ts';
import { safeHtml } from '../../src/formats/preview/safeHtml.ts';
import { cardOf } from '../../src/connectors/microsoft365/exchange/cards/cardOf.ts';
import type { Preview } from '../../src/domain/index.ts';
import { placeholderOf, type LeftOut } from '../../src/formats/preview/leftOut.ts';
import { vectors } from '../preview/vectors.ts';
import type { FuzzTarget } from './fuzzTarget.ts';

const SECRET = '0123456789abcdef'.repeat(3).slice(0, 36);
const LEFT_OUT: LeftOut = { secret: SECRET, sizes: [{ bytes: 5000, text: 6754 }] };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PAGE = '<p style="color:red;background:url(http://a.test/b)" onclick=x()>a<img src="cid:p"><img src="http://a.test/c"><a href="javascript:x()">b</a><svg><style><img onerror=x></style></svg><!-- c --><table><td nowrap>d';
const part = (head: string, body: string): string => `--b\r\n${head}\r\n\r\n${body}\r\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const MAIL = [
  'From: a@example.test\r\nTo: b@example.test\r\nDate: Mon, 9 Mar 2026 10:00:00 +0200\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n', part('Content-Type: text/html', PAGE),
  part('Content-Type: image/png\r\nContent-ID: <p>\r\nContent-Transfer-Encoding: base64', PIXEL), part('Content-Type: application/zip; name=x.zip\r\nContent-Transfer-Encoding: base64', base64(placeholderOf(SECRET, 0))),
  part('Content-Type: message/rfc822', `Subject: y\r\nContent-Type: text/html\r\n\r\n${PAGE}`), '--b--\r\n',
].join('');
const EVENT = {
  subject: 'x', body: { contentType: 'html', content: PAGE }, start: { dateTime: '2026-03-09T09:00:00.0000000', timeZone: 'UTC' }, end: { dateTime: '2026-03-09T10:00:00.0000000' }, originalStartTimeZone: 'W. Europe Standard Time',
  attendees: [{ type: 'optional', emailAddress: { name: 'A', address: 'a@example.test' }, status: { response: 'accepted' } }], cancelledOccurrences: ['OID.x.2026-03-16'],
  recurrence: { pattern: { type: 'weekly', interval: 2, daysOfWeek: ['monday', 'friday'] }, range: { type: 'endDate', startDate: '2026-03-09', endDate: '2026-06-30' } },
  attachments: [{ name: 'p.png', contentType: 'image/png', isInline: true, contentId: 'p', contentBytes: PIXEL }, { name: 'z', contentBytes: placeholderOf(SECRET, 0) }],
};
const KINDS = ['event', 'contact', 'task', 'setting', 'note', 'gap'];

/** Nothing in a preview but what is harmless, whoever looks at it. */
function assertHarmless({ body, picture, parts }: Preview): void {
  if (body !== undefined && !isHarmless(body.html)) throw new Error(`not harmless: ${body.html}`);
  if (picture !== undefined && !picture.startsWith('data:image/')) throw new Error(`no picture: ${picture}`);
  for (const { preview } of parts) if (preview !== undefined) assertHarmless(preview);
}

async function show(source: PreviewSource, content: Uint8Array): Promise<void> {
  const input = { content, leftOut: LEFT_OUT, cut: content.length % 2 === 0 };
  try {
    const preview = await readPreview(source, input);
    assertHarmless(preview);
    for (const { id } of preview.parts.slice(0, 5)) {
      await readPart(source, input, id);
      assertHarmless(await readPartPreview(source, input, id));
    }
  } catch (error) {
    if (!(error instanceof PreviewFailure)) throw error;
  }
}

function documentOf(content: Buffer): unknown {
  try {
    return readDocument({ content, cut: false });
  } catch (error) {
    if (error instanceof PreviewFailure) return undefined;
    throw error;
  }
}

export const previewTargets: readonly FuzzTarget[] = [
  {
    name: 'mail-preview', samples: [Buffer.from(MAIL), Buffer.from('Content-Type: text/plain\r\n\r\n<b>')],
    words: ['--b\r\n', '--b--', 'Content-Type: message/rfc822\r\n', 'Content-Type: text/html\r\n', 'Content-ID: <p>', 'cid:p', SECRET, base64(SECRET), '\r\n\r\n', '<', '>', '"', '&#'],
    run: (content) => show({ form: 'mail' }, content),
  },
  {
    name: 'html-preview', samples: [PAGE, ...vectors('http://a.test/hit').filter((_, i) => i % 7 === 0).map(({ html }) => html)].map((html) => Buffer.from(html)),
    words: ['<svg>', '<math>', '<style>', '</style>', '<!--', '-->', '--!>', '<![CDATA[', ']]>', '<noscript>', '<template>', '<textarea>', '<xmp>', '<iframe>', '</iframe>', '<plaintext>', '<select>', '<option>', ' onerror=x', ' style="', 'url(', ' src=', 'data:image/png;base64,', '&quot;', '&lt;', '"', "'", '>', '/', '\0'],
    run: async (content) => {
      // Also what the library lets pass is harmless: what the last check refuses is shown as text, and would be worth to be known.
      const { html } = safeHtml(content.toString(), { picture: (address) => (address.startsWith('cid:') ? `data:image/png;base64,${PIXEL}` : undefined) });
      if (!isHarmless(html)) throw new Error(`not harmless: ${html}`);
      await show({ form: 'file', name: 'x.html', size: content.length }, content);
      await show({ form: 'file', name: 'x.txt', size: content.length }, content);
    },
  },
  {
    name: 'card-preview', samples: [Buffer.from(JSON.stringify(EVENT)), Buffer.from('{"displayName":"x","emailAddresses":[{"address":"a"}],"@holdfast.photo":{"contentBytes":"iVBORw0KGgo="},"birthday":"1980-01-02T00:00:00Z","homeAddress":{"city":"x"}}')],
    words: ['null', '[]', '{}', '"x"', '1e999', '-1', '"recurrence":', '"attendees":', '"attachments":', '"contentBytes":"', '"dateTime":"', '2026-03-09', '99999-01-01', 'html', '<b onclick=x>'],
    run: async (content) => {
      const document = documentOf(content);
      for (const kind of KINDS) await show({ form: 'card', card: cardOf({ kind, name: 'x', meta: content.toString() }, document) }, new Uint8Array());
    },
  },
];
