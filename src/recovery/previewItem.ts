import type { Descriptor } from '../connectors/contract.ts';
import type { ItemRow, Outcome, Preview } from '../domain/index.ts';
import { NOTHING_LEFT_OUT, textFormatOfFile, type PreviewInput, type PreviewSource } from '../formats/index.ts';
import type { ItemReader, StoredPart } from '../repository/index.ts';
import { systemRandom, type RandomBytes } from '../runtime/index.ts';
import { fileContent } from './fileContent.ts';
import { bytesOfValue, jsonSkeleton } from './jsonSkeleton.ts';
import { mailSkeleton } from './mailSkeleton.ts';
import { partBytes, storedBytes, type PartBytes } from './partBytes.ts';
import type { PreviewFailed, PreviewReaders, PreviewThreadValue } from './previewReaders.ts';

export interface PreviewItemOptions {
  /** Of the service that the item is of. */
  readonly descriptor: Descriptor;
  readonly readers: PreviewReaders;
  readonly random?: RandomBytes;
  readonly signal: AbortSignal;
}

export type PreviewAnswer = { readonly preview: Preview } | PreviewFailed;

/** A part of an item, on its way to a person. */
export type PartAnswer = { readonly name: string; readonly type: string; readonly size: number; readonly pieces: AsyncGenerator<Uint8Array> } | PreviewFailed;

/** What a thread gets, and where the rest is. */
interface Gathered {
  readonly source: PreviewSource;
  readonly input: PreviewInput & { readonly content: Uint8Array<ArrayBuffer> };
  readonly bytes: PartBytes['bytes'];
}

/**
 * What a browser can show of an item, or of one part of it: nothing in it runs or is loaded from anywhere. A preview that cannot be made is no error: the answer says why. Memory and time are bounded,
 * whatever the item is: attachments are not read. Throws what the repository throws.
 */
export async function previewItem(reader: ItemReader, row: ItemRow, options: PreviewItemOptions, part?: string): Promise<PreviewAnswer> {
  const found = await gathered(reader, row, options);
  if ('code' in found) return found;
  const { source, input } = found;
  const answer = await options.readers.read({ as: 'preview', source, input, part }, options.signal);
  return 'preview' in answer ? { preview: withOutcome(answer.preview, row) } : failed(answer);
}

/**
 * The bytes of a part by the id that a preview gave: as a stream, however large it is. They are foreign: to be served as an attachment, never in a page. Of a mail in a mail, and of texts that are
 * not in base64, the ends of lines are single line feeds.
 */
export async function openPart(reader: ItemReader, row: ItemRow, id: string, options: PreviewItemOptions): Promise<PartAnswer> {
  const found = await gathered(reader, row, options);
  if ('code' in found) return found;
  const { source, input, bytes } = found;
  const { leftOut } = input;
  const answer = await options.readers.read({ as: 'bytes', source, input, part: id }, options.signal);
  if (!('part' in answer)) return failed(answer);
  const { name, type, segments, cut } = answer.part;
  if (cut) return { code: 'preview/part-too-large', message: 'This attachment is too large to be taken out of its item alone. Restore or export the item.' };
  return { name, type, ...partBytes(segments, { leftOut, bytes }) };
}

async function gathered(reader: ItemReader, row: ItemRow, options: PreviewItemOptions): Promise<Gathered | PreviewFailed> {
  const { descriptor: { preview }, random = systemRandom } = options;
  const form = preview.form(row);
  if (form === undefined) return { code: 'preview/none', message: 'Items of this kind have no preview.' };
  if (form !== 'row' && row.content === '') return notKept(row);
  const parts = form === 'row' ? [] : await reader.parts(row);
  if (form === 'card' || form === 'row') return gatheredCard(parts, row, options);
  if (form === 'mail' || textFormatOfFile(row.name) === 'mail') {
    const { input, leftOut } = await mailSkeleton(parts, random);
    return { source: { form: 'mail' }, input, bytes: ({ number, as }) => storedBytes(leftOut[number], as) };
  }
  return { source: { form, name: row.name, size: row.size }, input: await fileContent(row.name, parts), bytes: nothing };
}

/** A document is taken apart in a thread, and read by the connector here, who alone knows what its fields mean; its texts go to the thread again. */
async function gatheredCard(parts: readonly StoredPart[], row: ItemRow, { descriptor: { preview: { card } }, readers, random = systemRandom, signal }: PreviewItemOptions): Promise<Gathered | PreviewFailed> {
  if (card === undefined) throw new TypeError(`a descriptor has cards of "${row.kind}", but makes none`);
  const none = { content: new Uint8Array(), leftOut: NOTHING_LEFT_OUT, cut: false };
  if (parts.length === 0) return { source: { form: 'card', card: await card(row, undefined) }, input: none, bytes: nothing };
  const { input: { leftOut, ...input }, numbers } = await jsonSkeleton(parts, random);
  const answer = await readers.read({ as: 'document', input: { ...input, leftOut } }, signal);
  if (!('document' in answer)) return failed(answer);
  return { source: { form: 'card', card: await card(row, answer.document) }, input: { ...none, leftOut }, bytes: ({ number }) => bytesOfValue(parts, numbers[number] ?? -1) };
}

/** Answers of a thread are what was asked for, or why not. */
function failed(answer: PreviewThreadValue): PreviewFailed {
  if ('code' in answer) return answer;
  throw new TypeError('a thread answered what it was not asked');
}

function notKept({ outcome }: ItemRow): PreviewFailed {
  const why = outcome === '' ? 'It is not kept in a form that can be shown.' : (JSON.parse(outcome) as Outcome).message;
  return { code: 'preview/no-content', message: why };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A file has no parts.
}

/** What became of an item when it was backed up belongs to what a person sees of it. */
function withOutcome(preview: Preview, { outcome }: ItemRow): Preview {
  if (outcome === '') return preview;
  const { code, message } = JSON.parse(outcome) as Outcome;
  return { ...preview, remarks: [{ code, message }, ...preview.remarks] };
}
