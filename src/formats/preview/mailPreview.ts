import type { Preview, PreviewPart, PreviewRemark, PreviewValue } from '../../domain/index.ts';
import { readMailParts, type MailPart, type MailParts, type MailPerson } from '../mailParts.ts';
import { InlinePictures } from './inlinePictures.ts';
import { segmentsOf, sizeOf, wholeOf, type LeftOut, type Segment } from './leftOut.ts';
import { bodyOf, CUT, fieldsOf, FIELDS_CUT, lineOf, MOST_TITLE } from './previewParts.ts';
import { PreviewFailure } from './previewFailure.ts';

export interface MailPreviewOptions {
  readonly leftOut: LeftOut;
  /** The mail is only the beginning of one. */
  readonly cut: boolean;
}

/** Parts that a preview lists. */
const MOST_PARTS = 500;
/** Mails in a mail that are shown with it. */
const MOST_NESTED = 10;
/** Levels of mails in mails that are shown with the first one. */
const NESTED_LEVELS = 1;

const PROTECTED: Readonly<Record<'signed' | 'encrypted', PreviewRemark>> = {
  signed: { code: 'signed', message: 'The sender signed it. Whether the signature holds was not looked at.' },
  encrypted: { code: 'encrypted', message: 'It is encrypted: only who has the key can read it.' },
};

/** A mail as people see it. Throws a {@link PreviewFailure} where it cannot be read as one. */
export async function previewMail(mail: Uint8Array, options: MailPreviewOptions): Promise<Preview> {
  return show(await partsOfMail(mail), options, '', 0);
}

/** As {@link readMailParts}; says for people why it gives up. */
export async function partsOfMail(mail: Uint8Array): Promise<MailParts> {
  try {
    return await readMailParts(mail);
  } catch (error) {
    if (error instanceof Error && /^Maximum (?:MIME nesting depth|header size)/.test(error.message)) {
      throw new PreviewFailure('preview/unreadable', 'It cannot be shown: its parts are nested too deep, or its headers are too long. Restore or export it to see it.');
    }
    throw error;
  }
}

interface ListedPart {
  readonly part: MailPart;
  readonly id: string;
  readonly segments: readonly Segment[];
}

async function show(mail: MailParts, options: MailPreviewOptions, above: string, level: number): Promise<Preview> {
  const { leftOut, cut } = options;
  const listed = mail.parts.slice(0, MOST_PARTS).map((part, place): ListedPart => ({ part, id: `${above}${place + 1}`, segments: segmentsOf(part.bytes, leftOut) }));
  const pictures = new InlinePictures(listed.map(({ part: { contentId }, segments }, number) => ({ contentId, number, bytes: wholeOf(segments) })));
  const isBodyThere = leftOut.secret === '' || !mail.body.text.includes(leftOut.secret);
  const { body, remarks: aboutBody } = bodyOf(isBodyThere ? mail.body : { html: false, text: '' }, pictures);
  const parts: PreviewPart[] = [];
  const nested = level < NESTED_LEVELS ? listed.filter(({ part }) => part.type === 'message/rfc822').slice(0, MOST_NESTED) : [];
  for (const [place, one] of listed.entries()) {
    const preview = nested.includes(one) ? await nestedPreview(one, options, level) : undefined;
    // Where the mail was cut nobody knows how long its last part is.
    const size = cut && place === mail.parts.length - 1 ? {} : { size: sizeOf(one.segments, leftOut) };
    parts.push({ ...listedPart(one, pictures.shown.has(place)), ...size, ...(preview === undefined ? {} : { preview }) });
  }
  const { fields, isCut } = fieldsOf(headersOf(mail));
  const remarks = [...remarksOf(mail, isBodyThere), ...aboutBody, ...(isCut ? [FIELDS_CUT] : []), ...(cut && level === 0 && !aboutBody.includes(CUT) ? [CUT] : [])];
  return { form: 'mail', title: lineOf(mail.subject, MOST_TITLE), fields, ...(body === undefined ? {} : { body }), parts, remarks };
}

function remarksOf({ protection, parts }: MailParts, isBodyThere: boolean): PreviewRemark[] {
  return [
    ...(protection === undefined ? [] : [PROTECTED[protection]]),
    ...(isBodyThere ? [] : [{ code: 'body-too-large', message: 'Its text is too large to be shown. Restore or export it to read it.' }]),
    ...(parts.length > MOST_PARTS ? [{ code: 'parts-cut', message: `Only the first ${MOST_PARTS} of its ${parts.length} attachments are listed.` }] : []),
  ];
}

function listedPart({ part: { name, type, inline, contentId }, id }: ListedPart, isShown: boolean): PreviewPart {
  return { id, name: lineOf(name), type: lineOf(type), inline: isShown || (inline && contentId !== '') };
}

/** A mail in a mail that cannot be read is listed all the same. */
async function nestedPreview({ part: { bytes }, id }: ListedPart, options: MailPreviewOptions, level: number): Promise<Preview | undefined> {
  try {
    return await show(await partsOfMail(bytes), options, `${id}.`, level + 1);
  } catch (error) {
    if (error instanceof PreviewFailure) return undefined;
    throw error;
  }
}

function headersOf({ from, sender, replyTo, to, cc, bcc, sent, subject }: MailParts): Preview['fields'] {
  const people = (list: readonly (MailPerson | undefined)[]): PreviewValue[] => list.filter((one) => one !== undefined).map(({ name, address }) => ({ type: 'person', name, address }));
  const isAnother = sender !== undefined && sender.address !== from?.address;
  return [
    { label: 'from', values: people([from]) }, { label: 'sender', values: isAnother ? people([sender]) : [] }, { label: 'reply-to', values: people(replyTo) },
    { label: 'to', values: people(to) }, { label: 'cc', values: people(cc) }, { label: 'bcc', values: people(bcc) },
    { label: 'date', values: sent === null ? [] : [{ type: 'time', time: new Date(sent).toISOString() }] },
    { label: 'subject', values: [{ type: 'text', text: lineOf(subject) }] },
  ];
}
