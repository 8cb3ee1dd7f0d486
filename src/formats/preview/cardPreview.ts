import type { Preview, PreviewCard, PreviewCardPart } from '../../domain/index.ts';
import { InlinePictures, MOST_PICTURE } from './inlinePictures.ts';
import { segmentsOf, sizeOf, wholeOf, type LeftOut } from './leftOut.ts';
import { pictureAddress } from './pictureType.ts';
import { bodyOf, CUT, fieldsOf, FIELDS_CUT, lineOf, MOST_TITLE } from './previewParts.ts';

const MOST_PARTS = 500;

/** What a connector made of a document, fit to be shown. */
export function previewCard(card: PreviewCard, leftOut: LeftOut): Preview {
  const listed = card.parts.slice(0, MOST_PARTS).map((part, place) => ({ part, id: String(place + 1), segments: segmentsOfCardPart(part, leftOut) }));
  const pictures = new InlinePictures(listed.map(({ part: { contentId }, segments }, number) => ({ contentId, number, bytes: segments && wholeOf(segments) })));
  const { body, remarks } = card.body === undefined ? { remarks: [] } : bodyOf(card.body, pictures);
  const { fields, isCut } = fieldsOf(card.fields);
  const picture = card.picture === undefined ? undefined : pictureAddress(Buffer.from(card.picture, 'base64'), MOST_PICTURE);
  const parts = listed.map(({ part: { name, type, size, inline }, id, segments }, place) => {
    const known = segments === undefined ? size : sizeOf(segments, leftOut);
    return { id, name: lineOf(name), type: lineOf(type), ...(known === undefined ? {} : { size: known }), inline: pictures.shown.has(place) || inline };
  });
  return {
    form: 'card', title: lineOf(card.title, MOST_TITLE), fields, ...(body === undefined ? {} : { body }), ...(picture === undefined ? {} : { picture }), parts,
    remarks: [...card.remarks, ...remarks, ...(isCut ? [FIELDS_CUT] : []), ...(card.parts.length > MOST_PARTS ? [CUT] : [])],
  };
}

/** Where its bytes were left out there stands the placeholder itself, not its base64. */
export function segmentsOfCardPart({ bytes }: PreviewCardPart, leftOut: LeftOut): ReturnType<typeof segmentsOf> | undefined {
  if (bytes === undefined) return undefined;
  const isPlaceholder = leftOut.secret !== '' && bytes.startsWith(leftOut.secret);
  return segmentsOf(Buffer.from(bytes, isPlaceholder ? 'latin1' : 'base64'), leftOut);
}
