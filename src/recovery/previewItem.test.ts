import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { never, ScratchRepository, sha256, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { seededBytes } from '../../tests/repository/seeded.ts';
import { runBackup } from '../backup/index.ts';
import { descriptor, openSource } from '../connectors/folder/index.ts';
import type { Preview } from '../domain/index.ts';
import type { ItemReader } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { SnapshotBrowser } from './browseSnapshot.ts';
import { openPart, previewItem, PreviewReaders, type PartAnswer, type PreviewAnswer } from './index.ts';

const opened: PreviewReaders[] = [];
afterEach(async () => {
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
async function lookAt(files: Readonly<Record<string, string | Uint8Array>>, work: (look: Opened, scratch: ScratchRepository) => Promise<void>, options: { readonly limitMs?: number; readonly watch?: (reader: ItemReader) => void } = {}): Promise<void> {
  using scratch = await ScratchRepository.make();
  mkdirSync(scratch.path('source'));
  for (const [name, content] of Object.entries(files)) writeFileSync(scratch.path('source', name), content);
  const manifest = await runBackup(scratch.repository, await openSource({ path: scratch.path('source') }), { signal: never, progress: unheard, clock: systemClock, workers: 1 });
  const readers = new PreviewReaders({ signal: never, ...options });
  opened.push(readers);
  const browser = new SnapshotBrowser(scratch.repository, manifest, { keys: 'path' });
  await scratch.repository.reading(manifest, { purpose: 'preview', workers: 1, signal: never }, async (reader) => {
    options.watch?.(reader);
    const row = async (name: string) => (await browser.find(name))[0]?.row ?? expect.fail(`no ${name}`);
    const how = { descriptor, readers, signal: never };
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
