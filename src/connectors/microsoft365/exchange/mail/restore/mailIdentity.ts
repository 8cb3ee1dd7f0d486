import { createHash } from 'node:crypto';
import type { ItemRow } from '../../../../../domain/index.ts';
import { listedChange } from '../../items/companionChange.ts';
import type { Origin } from '../../restore/origin.ts';
import { idOfKey } from '../mailKeys.ts';
import { parseMessageMeta } from '../messageItem.ts';
import { stateOf } from './mailState.ts';

/** Of a mail that stands somewhere, or of a row: what tells whether two are the same. */
export interface DescribedMail {
  readonly name: string;
  readonly change: string;
  readonly meta: string;
}

/**
 * Which content of a message it is. Of a mail that was sent or received: what nobody changes who reads, flags or sorts it; the store's count of its bytes is not in it, since
 * that grows with categories and flags. A draft may be edited without a trace in any of this, so each change key of one is a content of its own.
 */
export function contentOf({ name, change, meta }: DescribedMail): string {
  const { type, draft, from, to, sender, bcc, received, sent, messageId, attachments } = parseMessageMeta(meta);
  if (draft === true) return `d${Buffer.from(listedChange(change), 'latin1').toString('base64url')}`;
  const text = JSON.stringify([name, type, from, to, sender, bcc, received, sent, messageId, attachments]);
  return `m${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
}

/**
 * True where a message, known by its id, has the content that a row was stored with. Where all that the service tells of the content is equal, its size included, that is sure.
 * Where only the size differs it is the same if its state or its answers explain that; else it was edited.
 */
export function isSameContent(standing: DescribedMail, row: DescribedMail): boolean {
  if (standing.change === listedChange(row.change)) return true;
  const [there, kept] = [parseMessageMeta(standing.meta), parseMessageMeta(row.meta)];
  if (there.draft === true || kept.draft === true || contentOf(standing) !== contentOf(row)) return false;
  if (there.mark === undefined || kept.mark === undefined || there.mark === kept.mark) return true;
  return JSON.stringify([stateOf(standing.meta), there.extended]) !== JSON.stringify([stateOf(row.meta), kept.extended]);
}

/** What a mail that is made of the row names as its origin. */
export function originOf(row: ItemRow, beside: boolean, whole: boolean, restore?: string): Origin {
  return { source: idOfKey(row.key), content: contentOf(row), beside, whole, ...(restore === undefined ? {} : { restore }) };
}
