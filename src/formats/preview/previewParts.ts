import type { PreviewBody, PreviewField, PreviewRemark, PreviewValue } from '../../domain/index.ts';
import type { InlinePictures } from './inlinePictures.ts';
import { safeHtml, safeText } from './safeHtml.ts';

/** Values of one field, and characters of one value. */
const MOST_VALUES = 500;
const MOST_VALUE = 8000;
export const MOST_TITLE = 1000;

/** One line, of bounded length, without control characters. */
export function lineOf(text: string, limit: number = MOST_VALUE): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  return text.slice(0, limit * 2).replaceAll(/[\x00-\x1f\x7f\u2028\u2029]+/g, ' ').trim().slice(0, limit).toWellFormed();
}

/** The fields that have a value; `isCut` where one has more than are shown. */
export function fieldsOf(all: readonly PreviewField[]): { readonly fields: PreviewField[]; readonly isCut: boolean } {
  let isCut = false;
  const fields = all.flatMap(({ label, values }) => {
    const said = values.map(boundedValue).filter((value) => value !== undefined);
    isCut ||= said.length > MOST_VALUES;
    return said.length === 0 ? [] : [{ label, values: said.slice(0, MOST_VALUES) }];
  });
  return { fields, isCut };
}

function boundedValue(value: PreviewValue): PreviewValue | undefined {
  switch (value.type) {
    case 'person': {
      const { answer } = value;
      const [name, address] = [lineOf(value.name), lineOf(value.address)];
      return name === '' && address === '' ? undefined : { type: 'person', name, address, ...(answer === undefined ? {} : { answer: lineOf(answer) }) };
    }
    case 'time': return { ...value, time: lineOf(value.time) };
    default: {
      const text = value.text.slice(0, MOST_VALUE).toWellFormed().trim();
      return text === '' ? undefined : { type: value.type, text };
    }
  }
}

/** A body fit to be shown, and what a person should know of it. */
export function bodyOf({ html, text }: { readonly html: boolean; readonly text: string }, pictures: InlinePictures): { readonly body?: PreviewBody; readonly remarks: readonly PreviewRemark[] } {
  const picture = (address: string): string | undefined => pictures.address(address);
  const { html: shown, remotePictures, cut } = html ? safeHtml(text, { picture }) : { html: safeText(text), remotePictures: 0, cut: false };
  const remarks: PreviewRemark[] = [];
  if (remotePictures > 0) remarks.push({ code: 'remote-pictures', message: `${counted(remotePictures, 'remote picture')} not shown.` });
  if (pictures.leftOut > 0) remarks.push({ code: 'pictures-left-out', message: `${counted(pictures.leftOut, 'picture')} left out: too large, not found, or of a kind that is not shown.` });
  if (cut) remarks.push(CUT);
  return { ...(shown === '' ? {} : { body: { html: shown, remotePictures } }), remarks };
}

export const CUT: PreviewRemark = { code: 'cut', message: 'Only its beginning is shown. Restore or export it to see all of it.' };
export const FIELDS_CUT: PreviewRemark = { code: 'fields-cut', message: `Of a list with more than ${MOST_VALUES} entries only so many are shown.` };

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} is` : `${count} ${noun}s are`;
}
