import { NOTHING_LEFT_OUT, textFormatOfFile } from '../formats/index.ts';
import { encodedAs, type StoredPart } from '../repository/index.ts';
import { Collected, type Skeleton } from './mailSkeleton.ts';

/** Bytes that are read of a text, of a page, and of what may be a picture. */
const MOST_TEXT = 1024 * 1024;
const MOST_PAGE = 8 * MOST_TEXT;
const MOST_PICTURE = 5 * MOST_TEXT;
const PICTURE = /\.(?:png|jpe?g|jfif|gif|webp|bmp)$/i;
/** A base64 part of a file that is no mail is put together whole: a larger one ends what is read. */
const MOST_ENCODED = 4 * MOST_TEXT;

/** As much of a file as its preview needs; nothing of what has none. */
export async function fileContent(name: string, parts: readonly StoredPart[]): Promise<Skeleton['input']> {
  const format = textFormatOfFile(name);
  const limit = format === 'html' ? MOST_PAGE : format !== undefined ? MOST_TEXT : PICTURE.test(name) ? MOST_PICTURE : 0;
  const bytes = new Collected(limit);
  for (const part of limit === 0 ? [] : parts) {
    if (bytes.isFull) break;
    if (part.base64 === undefined) await bytes.addAll(part);
    else if (part.length > MOST_ENCODED) bytes.fill();
    else {
      const decoded = new Collected(part.length);
      await decoded.addAll(part);
      bytes.add(encodedAs(part.base64, decoded.concat()));
    }
  }
  return { content: bytes.concat(), leftOut: NOTHING_LEFT_OUT, cut: bytes.isFull || limit === 0 };
}
