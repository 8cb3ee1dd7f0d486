import type { BinaryString } from '../../domain/index.ts';

/** Keys: 'f' + folder number; 'm' + folder number + UIDVALIDITY + UID; all numbers 4 bytes, big endian. */
const word = (value: number): BinaryString =>
  String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

const wordAt = (key: BinaryString, at: number): number =>
  (((key.charCodeAt(at) << 8) | key.charCodeAt(at + 1)) * 65_536) + ((key.charCodeAt(at + 2) << 8) | key.charCodeAt(at + 3));

export const FOLDER_PREFIX: BinaryString = 'f';

export function folderKey(folder: number): BinaryString {
  return FOLDER_PREFIX + word(folder);
}

/** What all messages of a folder start with; also the key of the notice that they could not be read. */
export function messagesPrefix(folder: number): BinaryString {
  return `m${word(folder)}`;
}

export function messageKey(folder: number, uidValidity: number, uid: number): BinaryString {
  return messagesPrefix(folder) + word(uidValidity) + word(uid);
}

/** Messages whose UIDs share all but the last byte: what one look at the previous snapshot brings. */
export function uidBlockPrefix(folder: number, uidValidity: number, uid: number): BinaryString {
  return messageKey(folder, uidValidity, uid).slice(0, -1);
}

export function folderNumber(key: BinaryString): number {
  return wordAt(key, 1);
}

export interface MessageNumbers {
  readonly folder: number;
  readonly uidValidity: number;
  readonly uid: number;
}

export function messageNumbers(key: BinaryString): MessageNumbers {
  if (key.length !== 13 || key[0] !== 'm') throw new TypeError('not the key of a message');
  return { folder: wordAt(key, 1), uidValidity: wordAt(key, 5), uid: wordAt(key, 9) };
}
