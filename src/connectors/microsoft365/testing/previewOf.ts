import type { ItemRow, Preview } from '../../../domain/index.ts';
import { NOTHING_LEFT_OUT, readDocument, readPreview } from '../../../formats/index.ts';
import { descriptor } from '../exchange/descriptor.ts';

/** The preview of an item of a mailbox as recovery makes it, but in this thread; undefined for what has none. */
export async function previewOf(row: ItemRow, content: Buffer | undefined): Promise<Preview | undefined> {
  const form = descriptor.preview.form(row);
  if (form === undefined) return undefined;
  const input = { content: content ?? new Uint8Array(), leftOut: NOTHING_LEFT_OUT, cut: false };
  if (form === 'mail') return readPreview({ form }, input);
  const card = await descriptor.preview.card?.(row, form === 'row' ? undefined : await readDocument(input));
  if (card === undefined) throw new Error(`no card of a ${row.kind}`);
  return readPreview({ form: 'card', card }, input);
}
