import type { Preview, PreviewCard } from '../../domain/index.ts';
import { segmentsOfCardPart, previewCard } from './cardPreview.ts';
import { previewFile } from './filePreview.ts';
import { placeholderOf, segmentsOf, sizeOf, wholeOf, type LeftOut, type Segment } from './leftOut.ts';
import { partsOfMail, previewMail } from './mailPreview.ts';
import { PreviewFailure } from './previewFailure.ts';

/** How a content is read for its preview. `card`: what the service's connector made of the document that the content is; the content itself is not looked at. */
export type PreviewSource =
  | { readonly form: 'mail' }
  | { readonly form: 'file'; readonly name: string; readonly size: number }
  | { readonly form: 'card'; readonly card: PreviewCard };

export interface PreviewInput {
  readonly content: Uint8Array;
  readonly leftOut: LeftOut;
  /** `content` is only the beginning of one. */
  readonly cut: boolean;
}

/** A part by its id: what it is called, and what its bytes are made of. */
export interface FoundPart {
  readonly name: string;
  readonly type: string;
  readonly segments: readonly Segment[];
  /** It may go on behind what was read. */
  readonly cut: boolean;
}

/** Levels of mails in mails that an id may go down. */
const DEEPEST = 16;

/** The preview of a content. Throws a {@link PreviewFailure} with the reason where there is none; may take as long as the content makes it. */
export async function readPreview(source: PreviewSource, input: PreviewInput): Promise<Preview> {
  const { content, leftOut, cut } = input;
  if (source.form === 'mail') return previewMail(content, { leftOut, cut });
  if (source.form === 'file') return previewFile({ name: source.name, type: '', size: source.size }, content, { leftOut, cut });
  return previewCard(source.card, leftOut);
}

/** The preview of one part. Its bytes that were left out are not asked for: it is shown as far as it is there. */
export async function readPartPreview(source: PreviewSource, input: PreviewInput, id: string): Promise<Preview> {
  const { name, type, segments, cut } = await readPart(source, input, id);
  const { leftOut } = input;
  const whole = wholeOf(segments);
  if (type === 'message/rfc822') return previewMail(Buffer.concat(segments.map((one) => one instanceof Uint8Array ? one : replaced(one, leftOut))), { leftOut, cut });
  const [first = new Uint8Array()] = segments;
  const beginning = first instanceof Uint8Array ? first : new Uint8Array();
  return previewFile({ name, type, size: sizeOf(segments, leftOut) }, whole ?? beginning, { leftOut, cut: cut || whole === undefined });
}

/** The placeholder again, which the reader of a mail in it decodes where that is. */
function replaced({ number, as }: Exclude<Segment, Uint8Array>, { secret }: LeftOut): Buffer {
  const placeholder = Buffer.from(placeholderOf(secret, number));
  return as === 'bytes' ? placeholder : Buffer.from(placeholder.toString('base64'));
}

/** The part with an id that a preview gave. Throws a {@link PreviewFailure}. */
export async function readPart(source: PreviewSource, input: PreviewInput, id: string): Promise<FoundPart> {
  const path = /^\d{1,4}(?:\.\d{1,4})*$/.test(id) ? id.split('.').map(Number) : [];
  if (path.length === 0 || path.length > DEEPEST || source.form === 'file') throw noPart();
  if (source.form === 'mail') return partOfMail(input, path);
  const [number = 0, ...deeper] = path;
  const part = deeper.length > 0 ? undefined : source.card.parts[number - 1];
  const segments = part && segmentsOfCardPart(part, input.leftOut);
  if (part === undefined || segments === undefined) throw noPart();
  return { name: part.name, type: part.type, segments, cut: false };
}

async function partOfMail({ content, leftOut, cut }: PreviewInput, path: readonly number[]): Promise<FoundPart> {
  const [number = 0, ...deeper] = path;
  const { parts } = await partsOfMail(content);
  const part = parts[number - 1];
  if (part === undefined) throw noPart();
  // Parts before the last one are whole.
  const isCut = cut && number === parts.length;
  if (deeper.length === 0) return { name: part.name, type: part.type, segments: segmentsOf(part.bytes, leftOut), cut: isCut };
  if (part.type !== 'message/rfc822') throw noPart();
  return partOfMail({ content: part.bytes, leftOut, cut: isCut }, deeper);
}

/** The document that a content is. Throws a {@link PreviewFailure}. */
export function readDocument({ content, cut }: Pick<PreviewInput, 'content' | 'cut'>): unknown {
  if (cut) throw new PreviewFailure('preview/too-large', 'It is too large to be shown. Restore or export it to see it.');
  try {
    return JSON.parse(Buffer.from(content.buffer, content.byteOffset, content.length).toString('utf8')) as unknown;
  } catch {
    throw new PreviewFailure('preview/unreadable', 'It cannot be shown: it is not the document that it should be. Restore or export it to see it.');
  }
}

function noPart(): PreviewFailure {
  return new PreviewFailure('preview/no-part', 'The item has no such attachment. Open its preview again.');
}
