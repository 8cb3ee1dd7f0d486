import type { Message } from '@microsoft/microsoft-graph-types';
import type { Attachment, Item } from '../mailbox/item.ts';
import type { SeededItems } from '../mailbox/shelf.ts';
import { mimeOf } from '../mail/mime.ts';
import type { Properties } from '../odata/list.ts';
import { isoSeconds } from '../server/clock.ts';
import { makeAttachments } from './attachments.ts';
import type { Dice } from './dice.ts';
import { correspondent, diceOf, emailAddress, timeline } from './owner.ts';
import type { Owner } from './owner.ts';
import type { Person } from './people.ts';
import { categoriesOf, htmlBody, subjectOf, textOfHtml } from './texts.ts';

/** Messages of one conversation lie next to each other in a folder. */
const THREAD = 4;

export interface MailFolderSeed {
  readonly name: string;
  readonly count: number;
  /** Mail that the owner wrote. */
  readonly own: boolean;
  readonly drafts: boolean;
  readonly unread: number;
}

export function seededMessages(owner: Owner, folder: MailFolderSeed): SeededItems {
  const rankOf = timeline(owner, folder.name, folder.count);
  return { name: folder.name, count: folder.count, rankOf, make: (index) => makeMessage(owner, folder, index, rankOf(index)) };
}

function makeMessage(owner: Owner, folder: MailFolderSeed, index: number, time: number): Item {
  const dice = diceOf(owner, 'message', folder.name, index);
  const thread = Math.floor(index / THREAD);
  const isReply = index % THREAD < THREAD - 1;
  const attachments = makeAttachments(owner, dice, `${folder.name} ${index}`, time);
  if (dice.chance(0.01)) attachments.push(forwarded(owner, dice, time));
  const properties = compose(owner, folder, { dice, index, thread, isReply, time, hasAttachments: attachments.some(({ isInline }) => !isInline) });
  return {
    key: `${folder.name}.${index}`, kind: 'message', rank: time, moves: 0, version: 0, created: time, modified: time + 60_000, properties: properties as Properties,
    extended: [], attachments,
  };
}

interface Draw {
  readonly dice: Dice;
  readonly index: number;
  readonly thread: number;
  readonly isReply: boolean;
  readonly time: number;
  readonly hasAttachments: boolean;
}

function compose(owner: Owner, folder: MailFolderSeed, draw: Draw): Message {
  const { dice, index, thread, isReply, time } = draw;
  const threadDice = diceOf(owner, 'thread', folder.name, thread);
  const other = correspondent(owner, dice);
  const [from, to] = folder.own ? [owner.person, other] : [other, owner.person];
  const html = htmlBody(dice, to.givenName, from.displayName);
  const topic = subjectOf(threadDice);
  const conversation = threadDice.bytes(16);
  return {
    subject: isReply ? `RE: ${topic}` : topic,
    bodyPreview: textOfHtml(html).slice(0, 255),
    body: { contentType: 'html', content: html },
    from: emailAddress(from), sender: emailAddress(from),
    toRecipients: [emailAddress(to)],
    ccRecipients: dice.chance(0.2) ? [emailAddress(correspondent(owner, dice))] : [],
    bccRecipients: [], replyTo: [],
    receivedDateTime: isoSeconds(time), sentDateTime: isoSeconds(time - 5000),
    hasAttachments: draw.hasAttachments,
    internetMessageId: `<${dice.bytes(9).toString('hex')}@${from.address.split('@')[1] ?? ''}>`,
    internetMessageHeaders: headersOf(from, dice),
    conversationId: `AAQkA${conversation.toString('base64url')}=`,
    conversationIndex: Buffer.concat([Buffer.from([1]), conversation, Buffer.alloc(5 * (THREAD - 1 - (index % THREAD)))]).toString('base64'),
    importance: dice.chance(0.05) ? 'high' : 'normal',
    categories: categoriesOf(dice),
    isRead: folder.drafts || folder.own || index >= folder.unread,
    isDraft: folder.drafts,
    isDeliveryReceiptRequested: false, isReadReceiptRequested: false,
    inferenceClassification: dice.chance(0.2) ? 'other' : 'focused',
    flag: dice.chance(0.04) ? { flagStatus: 'flagged' } : { flagStatus: 'notFlagged' },
    webLink: `https://outlook.office365.com/owa/?ItemID=${index}&exvsurl=1&viewmodel=ReadMessageItem`,
  };
}

function headersOf(from: Person, dice: Dice): { name: string; value: string }[] {
  return [
    { name: 'Received', value: `from mail.${from.address.split('@')[1] ?? ''} by outlook.office365.com; id ${dice.int(1_000_000)}` },
    { name: 'X-Mailer', value: dice.pick(['Microsoft Outlook 16.0', 'Apple Mail (2.3774)', 'Thunderbird']) },
  ];
}

/** A message inside of a message. */
function forwarded(owner: Owner, dice: Dice, time: number): Attachment {
  const from = correspondent(owner, dice);
  const subject = subjectOf(dice);
  const html = htmlBody(dice, owner.person.givenName, from.displayName);
  const sent = isoSeconds(time - 86_400_000);
  const message: Message = {
    subject, body: { contentType: 'html', content: html }, from: emailAddress(from), sender: emailAddress(from), toRecipients: [emailAddress(owner.person)],
    sentDateTime: sent, receivedDateTime: sent, internetMessageId: `<${dice.bytes(9).toString('hex')}@inner>`, hasAttachments: false, isRead: true, isDraft: false, importance: 'normal',
  };
  const mime = mimeOf({ key: 'inner', properties: message as Properties, attachments: [] });
  return {
    key: 'inner', type: 'itemAttachment', name: subject, contentType: null, isInline: false, contentId: null, modified: time, size: mime.length, bytes: () => mime,
    item: { '@odata.type': '#microsoft.graph.message', id: '', createdDateTime: sent, lastModifiedDateTime: sent, ...message },
  };
}
