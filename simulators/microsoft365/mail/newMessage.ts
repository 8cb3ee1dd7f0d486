import { isoSeconds } from '../server/clock.ts';
import type { Properties } from '../odata/list.ts';
import type { Attachment, ExtendedProperty, Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { emailAddress } from '../seed/owner.ts';
import { Dice } from '../seed/dice.ts';
import { timesAndFlags } from './messageBody.ts';

const READ = 0x1;
const UNSENT = 0x8;

/**
 * A message as a create makes it. A draft unless the flags say otherwise, and only they can (facts 44 and 45); times are those of now unless
 * the two extended properties give others.
 */
export function newMessage(
  mailbox: Mailbox, properties: Properties, made: { now: number; attachments?: readonly Attachment[]; extended?: readonly ExtendedProperty[] },
): Item {
  const { now, attachments = [], extended = [] } = made;
  const { flags, received = now, sent = received } = timesAndFlags(extended);
  const key = mailbox.newKey();
  const conversation = new Dice(mailbox.owner.seed, mailbox.owner.index, key).bytes(16);
  const owner = emailAddress(mailbox.owner.person);
  const defaults: Properties = {
    subject: '', bodyPreview: '', body: { contentType: 'text', content: '' }, from: owner, sender: owner, toRecipients: [], ccRecipients: [], bccRecipients: [], replyTo: [],
    importance: 'normal', categories: [], isRead: true, isDraft: true, isDeliveryReceiptRequested: false, isReadReceiptRequested: false, inferenceClassification: 'focused',
    flag: { flagStatus: 'notFlagged' }, internetMessageId: `<${conversation.toString('hex')}@${mailbox.owner.domain}>`, webLink: `https://outlook.office365.com/owa/?ItemID=${key}`,
    conversationId: `AAQkA${conversation.toString('base64url')}=`, conversationIndex: Buffer.concat([Buffer.from([1]), conversation]).toString('base64'),
  };
  const flagged = flags === undefined ? {} : { isDraft: (flags & UNSENT) !== 0, isRead: (flags & READ) !== 0 };
  const hasAttachments = attachments.some(({ isInline }) => !isInline);
  return {
    key, kind: 'message', rank: received, moves: 0, version: 0, created: now, modified: now, attachments, extended: extended.filter(({ id }) => !/0x(e07|e06|39)$/i.test(id)),
    properties: { ...defaults, receivedDateTime: isoSeconds(received), sentDateTime: isoSeconds(sent), hasAttachments, ...properties, ...flagged },
  };
}
