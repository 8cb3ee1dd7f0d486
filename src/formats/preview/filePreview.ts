import type { Preview, PreviewRemark } from '../../domain/index.ts';
import { readFileText } from '../fileText.ts';
import { textFormatOfPart } from '../textFormat.ts';
import { decodeText, namedCharsets } from '../decodeText.ts';
import { InlinePictures } from './inlinePictures.ts';
import { previewMail } from './mailPreview.ts';
import type { LeftOut } from './leftOut.ts';
import { pictureAddress } from './pictureType.ts';
import { bodyOf, CUT, fieldsOf, lineOf, MOST_TITLE } from './previewParts.ts';

export interface FileToPreview {
  readonly name: string;
  /** As somebody said it; '' where nobody did. */
  readonly type: string;
  readonly size: number;
}

export interface FilePreviewOptions {
  readonly leftOut: LeftOut;
  /** There is more of it. */
  readonly cut: boolean;
}

/** Characters of a text that are shown. */
const MOST_TEXT = 256 * 1024;
/** Bytes of a picture that is shown alone. */
const MOST_ALONE = 5 * 1024 * 1024;
const NO_TEXT: PreviewRemark = { code: 'not-shown', message: 'Files of this kind are not shown. Restore or export it to open it.' };

/** Text, a page, a mail or a picture as people see it; of any other file its name, type and size. */
export async function previewFile(file: FileToPreview, content: Uint8Array, { leftOut, cut }: FilePreviewOptions): Promise<Preview> {
  const format = textFormatOfPart(file.type, file.name);
  if (format === 'mail') return previewMail(content, { leftOut, cut });
  const picture = cut ? undefined : pictureAddress(content, MOST_ALONE);
  if (picture !== undefined) return { ...named(file), picture };
  const text = format === undefined ? undefined : textOf(format, content, cut);
  if (text === undefined) return { ...named(file), remarks: [NO_TEXT] };
  const { body, remarks } = bodyOf(text, new InlinePictures([]));
  const isCut = (cut || (!text.html && text.text.length >= MOST_TEXT)) && !remarks.includes(CUT);
  return { ...named(file), ...(body === undefined ? {} : { body }), remarks: [...remarks, ...(isCut ? [CUT] : [])] };
}

function named({ name, type, size }: FileToPreview): Preview {
  const { fields } = fieldsOf([{ label: 'type', values: [{ type: 'text', text: lineOf(type) }] }, { label: 'size', values: [{ type: 'text', text: String(size) }] }]);
  return { form: 'file', title: lineOf(name, MOST_TITLE), fields, parts: [], remarks: [] };
}

/** undefined for what is no text, whatever its name says. */
function textOf(format: 'text' | 'html' | 'properties', content: Uint8Array, cut: boolean): { readonly html: boolean; readonly text: string } | undefined {
  if (format === 'html') {
    return content.subarray(0, 8192).includes(0) && readFileText('html', content, { limit: 1 }) === '' ? undefined : { html: true, text: decodeText(content, namedCharsets(content), { cut }) };
  }
  // Properties are lines that people can read as they stand.
  const text = readFileText('text', content, { limit: MOST_TEXT, cut });
  return text === '' && content.length > 0 ? undefined : { html: false, text };
}
