import type { Attachment } from '../mailbox/item.ts';
import { Dice } from './dice.ts';
import type { Owner } from './owner.ts';
import { diceOf } from './owner.ts';
import { makePicture } from './pictures.ts';
import { paragraph } from './texts.ts';

/** Documents that go round in the tenant: the same bytes in many mailboxes. */
const SHARED_DOCUMENTS = 40;
const KINDS: readonly (readonly [string, string])[] = [
  ['pdf', 'application/pdf'], ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'], ['txt', 'text/plain'], ['zip', 'application/zip'],
];
const NAMES = ['Offer', 'Minutes', 'Contract', 'Price list', 'Übersicht', 'Report', 'Plan', 'Drawing'];

/** The attachments of a seeded message or event; most have none. About one in a thousand has one of more than 3 MB. */
export function makeAttachments(owner: Owner, dice: Dice, words: string, modified: number): Attachment[] {
  const made: Attachment[] = [];
  if (dice.chance(0.15)) {
    const count = 1 + dice.int(2);
    for (let place = 0; place < count; place++) {
      made.push(dice.chance(0.5) ? sharedDocument(owner, dice.int(SHARED_DOCUMENTS), `a${place}`, modified) : ownDocument(owner, `${words} ${place}`, `a${place}`, modified));
    }
  }
  if (dice.chance(0.05)) made.push(inlinePicture(owner, dice, modified));
  if (dice.chance(0.001)) made.push(document(new Dice(owner.seed, owner.index, words, 'large'), 'large', modified, 3_300_000 + dice.int(2_000_000)));
  return made;
}

function sharedDocument(owner: Owner, number: number, key: string, modified: number): Attachment {
  return document(new Dice(owner.seed, 'shared document', number), key, modified);
}

function ownDocument(owner: Owner, words: string, key: string, modified: number): Attachment {
  return document(diceOf(owner, 'document', words), key, modified);
}

function document(dice: Dice, key: string, modified: number, wanted?: number): Attachment {
  const [extension, contentType] = dice.pick(KINDS);
  const name = `${dice.pick(NAMES)} ${1 + dice.int(99)}.${extension}`;
  const size = wanted ?? 2000 + Math.floor(dice.next() ** 4 * 200_000);
  const bytes = (): Buffer => (extension === 'txt' ? textBytes(dice, size) : dice.bytes(size));
  return { key, type: 'fileAttachment', name, contentType, isInline: false, contentId: null, modified, size, bytes };
}

function inlinePicture(owner: Owner, dice: Dice, modified: number): Attachment {
  const number = dice.int(5);
  const bytes = makePicture(32, owner.seed, 'logo', number);
  return { key: 'logo', type: 'fileAttachment', name: `image00${number}.png`, contentType: 'image/png', isInline: true, contentId: `image00${number}.png@logo`, modified, size: bytes.length, bytes: () => bytes };
}

function textBytes(dice: Dice, size: number): Buffer {
  const text = Buffer.from(paragraph(new Dice(dice.bytes(8).toString('hex')), 200));
  return Buffer.alloc(size, text);
}
