import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';

/** Somebody whom a mail names; one of the two may be ''. */
export interface MailPerson {
  readonly name: string;
  readonly address: string;
}

/** What a mail holds besides its body. */
export interface MailPart {
  /** '' where it has none. */
  readonly name: string;
  /** Lower case: 'application/pdf'. */
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly inline: boolean;
  /** Without angle brackets; '' where it has none. */
  readonly contentId: string;
}

/** A mail taken apart, for programs that put one together in another form. */
export interface MailParts {
  readonly subject: string;
  readonly from: MailPerson | undefined;
  readonly sender: MailPerson | undefined;
  readonly to: readonly MailPerson[];
  readonly cc: readonly MailPerson[];
  readonly bcc: readonly MailPerson[];
  readonly replyTo: readonly MailPerson[];
  readonly messageId: string;
  /** Of the Date field, in milliseconds since 1970 UTC; null where there is none that is a date. */
  readonly sent: number | null;
  /** The HTML of a mail that says the same in both forms. */
  readonly body: { readonly html: boolean; readonly text: string };
  /** All fields in their order, unfolded, their words not decoded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly parts: readonly MailPart[];
  /** What would not hold once the mail is put together anew. */
  readonly protection: 'signed' | 'encrypted' | undefined;
}

/** Takes a mail apart; mails in it stay whole, as parts of the type message/rfc822. Throws where the parser gives up (parts nested past 64, headers past 2 MiB). */
export async function readMailParts(mail: Uint8Array): Promise<MailParts> {
  const email = await PostalMime.parse(mail, { maxNestingDepth: 64, forceRfc822Attachments: true });
  const { html, text = '' } = email;
  const sent = Date.parse(email.date ?? '');
  return {
    subject: email.subject ?? '', from: people([email.from])[0], sender: people([email.sender])[0],
    to: people(email.to), cc: people(email.cc), bcc: people(email.bcc), replyTo: people(email.replyTo),
    messageId: email.messageId ?? '', sent: Number.isNaN(sent) ? null : sent,
    body: html === undefined ? { html: false, text } : { html: true, text: html },
    headers: email.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
    parts: email.attachments.map(partOf), protection: protectionOf(email),
  };
}

/** Groups are told by their members. */
function people(list: readonly (Address | undefined)[] | undefined): MailPerson[] {
  return (list ?? []).flatMap((entry) => {
    if (entry === undefined) return [];
    return entry.group === undefined ? [{ name: entry.name, address: entry.address ?? '' }] : people(entry.group);
  });
}

function partOf({ filename, mimeType, disposition, related, contentId = '', content }: Attachment): MailPart {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
  return { name: filename ?? '', type: mimeType, bytes, inline: disposition === 'inline' || (disposition === null && related === true), contentId: contentId.replaceAll(/^<|>$/g, '') };
}

function protectionOf({ headers, attachments }: Email): MailParts['protection'] {
  const type = headers.find(({ key }) => key === 'content-type')?.value.toLowerCase() ?? '';
  if (type.startsWith('multipart/encrypted')) return 'encrypted';
  if (/^application\/(x-)?pkcs7-mime/.test(type)) return type.includes('signed-data') ? 'signed' : 'encrypted';
  return type.startsWith('multipart/signed') || attachments.some(({ mimeType }) => /^application\/(x-)?pkcs7-signature$/.test(mimeType)) ? 'signed' : undefined;
}
