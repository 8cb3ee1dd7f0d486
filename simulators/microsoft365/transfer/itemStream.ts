import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { badRequest } from '../server/graphFailure.ts';
import type { Attachment, Item, ItemKind } from '../mailbox/item.ts';

const MAGIC = Buffer.from([0x01, 0x00, 0x03, 0x66, 0x53, 0x69]);

/**
 * The stream of an exported item. Fact 57: it is opaque to clients; that it is compressed JSON is this simulator's own business. It carries all that
 * the store knows of the item, flags and times included.
 */
export function exportStream(item: Item): Buffer {
  const { key: _key, moves: _moves, attachments, series, photo, ...rest } = item;
  const text = JSON.stringify({
    ...rest,
    attachments: attachments.map(({ bytes, ...shown }) => ({ ...shown, content: bytes().toString('base64') })),
    ...(series === undefined ? {} : { series: { exceptions: [...series.exceptions], cancelled: [...series.cancelled] } }),
    ...(photo === undefined ? {} : { photo: photo().toString('base64') }),
  });
  return Buffer.concat([MAGIC, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })]);
}

/** The item of a stream, under a key of its own. A stream that is not whole is refused. */
export function importStream(stream: Buffer, key: string): Item {
  if (!stream.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('its beginning is not that of an exported item');
  let text: string;
  try {
    text = brotliDecompressSync(stream.subarray(MAGIC.length)).toString();
  } catch (error) {
    throw corrupt(String(error));
  }
  const { attachments, series, photo, ...rest } = JSON.parse(text) as Omit<Item, 'attachments' | 'series' | 'photo'> & {
    attachments: (Omit<Attachment, 'bytes'> & { content: string })[];
    series?: { exceptions: [string, { properties: Record<string, unknown>; version: number; modified: number }][]; cancelled: string[] };
    photo?: string;
  };
  return {
    ...rest, key, moves: 0,
    attachments: attachments.map(({ content, ...shown }) => ({ ...shown, bytes: () => Buffer.from(content, 'base64') })),
    ...(series === undefined ? {} : { series: { exceptions: new Map(series.exceptions), cancelled: new Set(series.cancelled) } }),
    ...(photo === undefined ? {} : { photo: () => Buffer.from(photo, 'base64') }),
  };
}

/** What the stream's class of item is called by the store. */
export const MESSAGE_CLASS: Readonly<Record<ItemKind, string>> = {
  message: 'IPM.Note', event: 'IPM.Appointment', contact: 'IPM.Contact', task: 'IPM.Task', note: 'IPM.StickyNote',
};

function corrupt(reason: string): Error {
  return badRequest(`The data of the item is corrupt: ${reason}.`, 'ErrorCorruptData');
}
