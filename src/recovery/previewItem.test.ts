import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { never, ScratchRepository, sha256, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { seededBytes } from '../../tests/repository/seeded.ts';
import { runBackup } from '../backup/index.ts';
import type { Descriptor } from '../connectors/contract.ts';
import { descriptor, openSource } from '../connectors/folder/index.ts';
import { descriptor as exchange } from '../connectors/microsoft365/index.ts';
import type { Preview } from '../domain/index.ts';
import type { PreviewThreadRequest } from './previewReaders.ts';
import { systemClock } from '../runtime/index.ts';
import { SnapshotBrowser } from './browseSnapshot.ts';
import { openPart, previewItem, PreviewReaders, type PartAnswer, type PreviewAnswer } from './index.ts';

const opened: PreviewReaders[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of opened.splice(0)) await one.close();
});

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const lines = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll(/.{76}/g, '$&\r\n');
const part = (headers: string, body: string): string => `--b\r\n${headers}\r\n\r\n${body}\r\n`;
const base64 = (type: string, bytes: Uint8Array, more = ''): string => part(`Content-Type: ${type}\r\nContent-Transfer-Encoding: base64${more}`, lines(bytes));
const mail = (...parts: readonly string[]): string => `From: =?utf-8?Q?=C3=84nn?= <ann@example.test>\r\nTo: Ben <ben@example.test>, c@example.test\r\nCc: d@example.test\r\nDate: Mon, 9 Mar 2026 10:00:00 +0200\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join('')}--b--\r\n`;

interface Opened {
  preview(name: string, id?: string): Promise<PreviewAnswer>;
  part(name: string, id: string): Promise<PartAnswer>;
}

/** Backs up files and looks at them, as a service would. */
async function lookAt(files: Readonly<Record<string, string | Uint8Array>>, work: (look: Opened, scratch: ScratchRepository) => Promise<void>, shownBy: Descriptor = descriptor): Promise<void> {
  using scratch = await ScratchRepository.make();
  mkdirSync(scratch.path('source'));
  for (const [name, content] of Object.entries(files)) writeFileSync(scratch.path('source', name), content);
  const manifest = await runBackup(scratch.repository, await openSource({ path: scratch.path('source') }), { signal: never, progress: unheard, clock: systemClock, workers: 1 });
  const readers = new PreviewReaders({ signal: never });
  opened.push(readers);
  const browser = new SnapshotBrowser(scratch.repository, manifest, { keys: 'path' });
  await scratch.repository.reading(manifest, { purpose: 'preview', workers: 1, signal: never }, async (reader) => {
    const row = async (name: string) => (await browser.find(name))[0]?.row ?? expect.fail(`no ${name}`);
    const how = { descriptor: shownBy, readers, signal: never };
    await work({ preview: async (name, id) => previewItem(reader, await row(name), how, id), part: async (name, id) => openPart(reader, await row(name), id, how) }, scratch);
  });
}

function shown(answer: PreviewAnswer): Preview {
  return 'preview' in answer ? answer.preview : expect.fail(answer.message);
}

async function bytesOf(answer: PartAnswer): Promise<Buffer> {
  if (!('pieces' in answer)) return expect.fail(answer.message);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.pieces) pieces.push(piece);
  const all = Buffer.concat(pieces);
  expect(all).toHaveLength(answer.size);
  return all;
}

test('a mail is shown with its people, its text, its own pictures, its attachments and the mails in it', async () => {
  const large = seededBytes('attachment', 3_000_001);
  // Boundaries of its own.
  const inner = mail(part('Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit', 'inner <words>'), base64('application/zip; name=deep.zip', large)).replaceAll(/(--|boundary=)b/g, '$1inner');
  const innerBytes = `${inner.replaceAll('\r\n', '\n')}\n`;
  const html = Buffer.from('<p>Hello <b>you</b> <img src="cid:pic@x"> <img src="http://far.example/a.png"><a href="https://far.example/">there</a></p>');
  const whole = mail(
    base64('text/html; charset=utf-8', html), base64('image/png; name=pixel.png', PNG, '\r\nContent-ID: <pic@x>\r\nContent-Disposition: inline; filename=pixel.png'),
    base64('application/pdf', large, '\r\nContent-Disposition: attachment; filename*=utf-8\'\'pl%C3%A4ne.pdf'), part('Content-Type: message/rfc822', inner),
  );
  await lookAt({ 'a.eml': whole }, async (look) => {
    const { form, title, fields, body, parts, remarks } = shown(await look.preview('a.eml'));
    expect([form, title]).toEqual(['mail', 'Grüße']);
    expect(fields).toEqual([
      { label: 'from', values: [{ type: 'person', name: 'Änn', address: 'ann@example.test' }] },
      { label: 'to', values: [{ type: 'person', name: 'Ben', address: 'ben@example.test' }, { type: 'person', name: '', address: 'c@example.test' }] },
      { label: 'cc', values: [{ type: 'person', name: '', address: 'd@example.test' }] },
      { label: 'date', values: [{ type: 'time', time: '2026-03-09T08:00:00.000Z' }] },
      { label: 'subject', values: [{ type: 'text', text: 'Grüße' }] },
    ]);
    expect(body).toEqual({ html: `<p>Hello <b>you</b> <img src="data:image/png;base64,${PNG.toString('base64')}" /> <img alt="" /><a title="https://far.example/">there</a></p>`, remotePictures: 1 });
    expect(remarks).toEqual([{ code: 'remote-pictures', message: '1 remote picture is not shown.' }]);
    expect(parts.map(({ preview, ...one }) => [one, preview?.parts])).toEqual([
      [{ id: '1', name: 'pixel.png', type: 'image/png', size: PNG.length, inline: true }, undefined],
      [{ id: '2', name: 'pläne.pdf', type: 'application/pdf', size: large.length, inline: false }, undefined],
      [{ id: '3', name: '', type: 'message/rfc822', size: innerBytes.length, inline: false }, [{ id: '3.1', name: 'deep.zip', type: 'application/zip', size: large.length, inline: false }]],
    ]);
    expect(parts[2]?.preview?.body?.html).toBe('<div style="white-space:pre-wrap">inner &lt;words&gt;\n</div>');
    expect(shown(await look.preview('a.eml', '3'))).toEqual({ ...parts[2]?.preview, parts: [{ ...parts[2]?.preview?.parts[0], id: '1' }] });
    for (const id of ['2', '3.1']) expect(sha256(await bytesOf(await look.part('a.eml', id))), id).toBe(sha256(large));
    expect(await bytesOf(await look.part('a.eml', '1'))).toEqual(PNG);
    expect((await bytesOf(await look.part('a.eml', '3'))).toString()).toBe(innerBytes);
    for (const id of ['0', '4', '2.1', '1.1', 'x', '', '1'.repeat(99)]) expect(await look.part('a.eml', id)).toMatchObject({ code: 'preview/no-part' });
  });
});

test('of a large mail nothing is read but what is shown', async () => {
  const large = seededBytes('video', 9 * 1024 * 1024);
  await lookAt({ 'big.eml': mail(part('Content-Type: text/html', '<b>see it</b>'), base64('video/mp4; name=film.mp4', large)) }, async (look, scratch) => {
    const read = vi.spyOn(scratch.repository.context.storage, 'get');
    const { body, parts, remarks } = shown(await look.preview('big.eml'));
    expect([body?.html, parts, remarks]).toEqual(['<b>see it</b>\n', [{ id: '1', name: 'film.mp4', type: 'video/mp4', size: large.length, inline: false }], []]);
    // The frames with its text and its recipe, and the index that tells where they are.
    const bytes = (await Promise.all(read.mock.results.map(({ value }) => value as Promise<Uint8Array>))).reduce((sum, one) => sum + one.length, 0);
    expect(bytes).toBeLessThan(2 * 1024 * 1024);
    const posted = vi.spyOn(Worker.prototype, 'postMessage');
    const answer = await look.part('big.eml', '1');
    const [asked] = posted.mock.calls.map(([message]) => message as PreviewThreadRequest);
    expect(asked?.input.content.length).toBeLessThan(2000);
    if (!('pieces' in answer)) return expect.fail(answer.message);
    const hash = createHash('sha256');
    let longest = 0;
    for await (const piece of answer.pieces) {
      hash.update(piece);
      longest = Math.max(longest, piece.length);
    }
    expect([answer.size, hash.digest('hex')]).toEqual([large.length, sha256(large)]);
    expect(longest).toBeLessThan(1024 * 1024);
  });
});

test('what is too large, too deep or too slow is cut or named, and the next one is shown all the same', async () => {
  const deep = Array.from({ length: 100 }, (_, i) => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`).join('');
  const files = {
    'long.eml': `Subject: long\r\n\r\n${`${'x'.repeat(99)}\n`.repeat(50_000)}`, 'deep.eml': deep, 'page.html': `<p>${'<div>'.repeat(3000)}deep`, 'ok.eml': 'Subject: ok\r\n\r\nfine',
    'manyParts.eml': mail(...Array.from({ length: 700 }, (_, i) => part(`Content-Type: application/x; name=${i}`, 'x'))), 'bigText.eml': mail(base64('text/plain', Buffer.alloc(1_500_000, 'word '))), 'nested.eml': 'Content-Type: message/rfc822\r\n\r\n'.repeat(30),
  };
  await lookAt(files, async (look) => {
    const { body, remarks } = shown(await look.preview('long.eml'));
    expect(body?.html.length).toBeLessThan(2.1 * 1024 * 1024);
    expect(remarks).toContainEqual({ code: 'cut', message: 'Only its beginning is shown. Restore or export it to see all of it.' });
    expect(await look.preview('deep.eml')).toEqual({ code: 'preview/unreadable', message: 'It cannot be shown: its parts are nested too deep, or its headers are too long. Restore or export it to see it.' });
    expect(shown(await look.preview('page.html')).body?.html).toMatch(/^<p>(?:<\/p>)?(?:<div>){100,256}deep/);
    const many = shown(await look.preview('manyParts.eml'));
    expect([many.parts.length, many.remarks]).toEqual([500, [{ code: 'parts-cut', message: 'Only the first 500 of its 700 attachments are listed.' }]]);
    const { body: noBody, remarks: why } = shown(await look.preview('bigText.eml'));
    expect([noBody, why.map(({ code }) => code)]).toEqual([undefined, ['body-too-large']]);
    expect(shown(await look.preview('nested.eml')).parts[0]?.preview?.parts[0]?.preview).toBeUndefined();
    expect(await look.preview('nested.eml', Array.from({ length: 20 }, () => '1').join('.'))).toMatchObject({ code: 'preview/no-part' });
    expect(shown(await look.preview('ok.eml')).body?.html).toContain('fine');
  });
});

test('a reader that hangs, dies or throws is a sentence without its words, and is replaced', async () => {
  const readers = new PreviewReaders({ signal: never, limitMs: 300, entry: new URL('./testing/badPreviewWorker.ts', import.meta.url) });
  opened.push(readers);
  const read = (text: string) => readers.read({ as: 'document', input: { content: Uint8Array.from(Buffer.from(text)), leftOut: { secret: '', sizes: [] }, cut: false } });
  expect(await Promise.all(['a', 'hang', 'die', 'fail', 'b'].map(read))).toEqual([
    { document: 'a' }, { code: 'preview/too-slow', message: expect.stringMatching(/takes too long/) }, { code: 'preview/crashed', message: expect.stringMatching(/more memory/) },
    { code: 'preview/unreadable', message: expect.not.stringContaining('secret') }, { document: 'b' },
  ]);
});

test('files are shown as text, page or picture, and named where they are neither', async () => {
  const gif = Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1');
  const files = {
    'a.txt': 'grün <b>\n', 'b.html': '<meta charset=utf-8><p onclick=x>hi<img src=//far.example/x>', 'c.png': PNG, 'd.svg': '<svg onload=x>', 'e.bin': 'MZ\0', 'f.png': 'no picture', 'g.txt': Buffer.from([0, 1, 2]), 'h.jpg': gif,
    'i.txt': 'x'.repeat(3 * 1024 * 1024), 'j.ics': 'BEGIN:VCALENDAR\nSUMMARY:x', 'empty.txt': '',
  };
  await lookAt(files, async (look) => {
    const seen = async (name: string): Promise<unknown> => {
      const { form, title, body, picture, remarks } = shown(await look.preview(name));
      expect([form, title]).toEqual(['file', name]);
      return body?.html ?? picture ?? remarks.map(({ code }) => code).join();
    };
    const box = (text: string): string => `<div style="white-space:pre-wrap">${text}</div>`;
    expect(await seen('a.txt')).toBe(box('grün &lt;b&gt;\n'));
    expect(await seen('b.html')).toBe('<p>hi<img alt="" /></p>');
    expect(await seen('c.png')).toBe(`data:image/png;base64,${PNG.toString('base64')}`);
    expect(await seen('h.jpg')).toBe(`data:image/gif;base64,${gif.toString('base64')}`);
    expect(await seen('j.ics')).toBe(box('BEGIN:VCALENDAR\nSUMMARY:x'));
    for (const name of ['d.svg', 'e.bin', 'f.png', 'g.txt']) expect(await seen(name), name).toBe('not-shown');
    expect(await seen('empty.txt')).toBe('');
    const long = shown(await look.preview('i.txt'));
    expect([long.body?.html.length, long.remarks.map(({ code }) => code)]).toEqual([256 * 1024 + box('').length, ['cut']]);
    expect(shown(await look.preview('i.txt')).fields).toEqual([{ label: 'size', values: [{ type: 'text', text: String(3 * 1024 * 1024) }] }]);
  });
});

test('a document is shown as its connector reads it, its pages and pictures as those of a mail, its large attachments as a stream', async () => {
  const large = seededBytes('large', 2_000_000);
  const attached = (name: string, type: string, bytes: Uint8Array, more: object = {}): object => ({ '@odata.type': '#microsoft.graph.fileAttachment', name, contentType: type, size: bytes.length, ...more, contentBytes: Buffer.from(bytes).toString('base64') });
  const event = {
    subject: 'Review', body: { contentType: 'html', content: '<p onclick=x>See <img src="cid:pic"> and "contentBytes":"no" <img src=http://far.example/></p>' }, start: { dateTime: '2026-07-01T07:00:00.0000000', timeZone: 'UTC' },
    originalStartTimeZone: 'W. Europe Standard Time', attachments: [attached('a.png', 'image/png', PNG, { isInline: true, contentId: 'pic' }), attached('b.bin', 'application/octet-stream', large), { name: 'link', '@odata.type': '#microsoft.graph.referenceAttachment' }],
  };
  const shownBy: Descriptor = { ...descriptor, preview: { form: () => 'card', card: (row, document) => exchange.preview.card?.({ ...row, kind: 'event' }, document) ?? expect.fail('no cards') } };
  await lookAt({ event: JSON.stringify(event), 'no JSON': '{"a":', other: '[1]' }, async (look) => {
    const { form, title, fields, body, parts } = shown(await look.preview('event'));
    expect([form, title, fields]).toEqual(['card', 'Review', [{ label: 'start', values: [{ type: 'time', time: '2026-07-01T07:00:00.000Z', zone: 'Europe/Berlin', local: '2026-07-01T09:00:00' }] }]]);
    expect(body).toEqual({ html: `<p>See <img src="data:image/png;base64,${PNG.toString('base64')}" /> and "contentBytes":"no" <img alt="" /></p>`, remotePictures: 1 });
    expect(parts).toEqual([
      { id: '1', name: 'a.png', type: 'image/png', size: PNG.length, inline: true }, { id: '2', name: 'b.bin', type: 'application/octet-stream', size: large.length, inline: false }, { id: '3', name: 'link', type: '', inline: false },
    ]);
    expect(await bytesOf(await look.part('event', '1'))).toEqual(PNG);
    expect(sha256(await bytesOf(await look.part('event', '2')))).toBe(sha256(large));
    expect(await look.part('event', '3')).toMatchObject({ code: 'preview/no-part' });
    expect(await look.preview('no JSON')).toMatchObject({ code: 'preview/unreadable', message: expect.stringMatching(/^It cannot be shown: it is not the document/) });
    expect(shown(await look.preview('other'))).toEqual({ form: 'card', title: '', fields: [], parts: [], remarks: [] });
  }, shownBy);
});
