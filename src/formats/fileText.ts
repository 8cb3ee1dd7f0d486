import { decodeText, markedCharset, namedCharsets } from './decodeText.ts';
import { readHtmlText } from './htmlText.ts';
import { readPropertyText } from './propertyText.ts';
import type { TextFormat } from './textFormat.ts';

export interface FileTextOptions {
  /** Characters of text. */
  readonly limit: number;
  /** Character sets to try besides those that a page names itself. */
  readonly charsets?: readonly string[];
  /** `content` is the beginning of a longer one. */
  readonly cut?: boolean;
}

/** Where a NUL would show that a file is no text, whatever its name says. */
const LOOKED_AT = 8192;

/** The words of a text file. Never throws; '' for what is no text. */
export function readFileText(format: Exclude<TextFormat, 'mail'>, content: Uint8Array, { limit, charsets = [], cut = false }: FileTextOptions): string {
  if (markedCharset(content) === undefined && content.subarray(0, LOOKED_AT).includes(0)) return '';
  // A character takes at most four bytes; of what is not read as it stands most may be no words.
  const part = format === 'text' ? content.subarray(0, limit * 4) : content;
  const named = format === 'html' ? namedCharsets(content) : [];
  const text = decodeText(part, [...named, ...charsets], { cut: cut || part.length < content.length });
  if (format === 'html') return readHtmlText(text, limit);
  return format === 'properties' ? readPropertyText(text, limit) : text.slice(0, limit);
}
