/** Believable mail for the demo: the same on every run, made of a few people, threads and attachments. */

export interface DemoMail {
  /** Wire name of its folder. */
  readonly folder: string;
  readonly flags: string;
  /** INTERNALDATE. */
  readonly date: string;
  readonly bytes: Buffer;
}

/** Wire names (modified UTF-7) of the folders that hold the mails; parents before what they hold. */
export const FOLDERS = [
  'Archive', 'Archive/2025', 'Projects', 'Projects/Lighthouse', 'Projects/Lighthouse/Invoices', 'Projects/K&APw-stenschutz',
  'Travel', 'Newsletters',
];

const PEOPLE = [
  ['Mina Okafor', 'mina.okafor@harbour.example'], ['Tomás Brandt', 'tomas@brandt.example'], ['Li Wei', 'li.wei@lantern.example'],
  ['Ingrid Sørensen', 'ingrid@fjord.example'], ['Accounts', 'accounts@ropeworks.example'], ['Jonas Weber', 'jonas@weber.example'],
] as const;

const PLANS: readonly (readonly [folder: string, count: number, subjects: readonly string[]])[] = [
  ['INBOX', 34, ['Lens delivery moved to Thursday', 'Could you look at the survey?', 'Lunch on Friday?', 'Re: Keys for the boathouse',
    'Your parcel is on its way', 'Minutes of Monday', 'Grüße aus Tromsø', '灯塔照片']],
  ['Sent', 16, ['Re: Lens delivery moved to Thursday', 'Offer for the new railing', 'Re: Minutes of Monday', 'Photos of the north wall']],
  ['Archive/2025', 28, ['Insurance for the coming year', 'Minutes of Monday', 'Re: Crane permit', 'Storm damage, first list']],
  ['Projects/Lighthouse', 22, ['Stairs: second drawing', 'Re: Stairs: second drawing', 'Paint samples', 'Survey of the foundation']],
  ['Projects/Lighthouse/Invoices', 14, ['Invoice for scaffolding', 'Invoice for copper sheet', 'Reminder: invoice for scaffolding']],
  ['Projects/K&APw-stenschutz', 9, ['Pegelstände der Woche', 'Einladung zur Begehung']],
  ['Travel', 7, ['Your booking to Bergen', 'Boarding pass', 'Hotel: confirmation']],
  ['Newsletters', 12, ['Harbour weekly', 'New in the library', 'Tide tables']],
];

const SENTENCES = [
  'The crane can only come at low water, so we have three hours on Thursday.', 'I have marked the changes in the drawing in red.',
  'Please tell me by Wednesday whether the date suits you.', 'The second coat needs two dry days, and the forecast says one.',
  'Nobody was hurt, but the railing on the west side is gone.', 'The invoice is attached; the number of the order is on it.',
  'We found the old plans in the cellar: they are from 1911 and quite exact.', 'Danke für die schnelle Antwort!',
  'The keys are with the neighbour, she knows that you are coming.', 'Could you send me the photos of the foundation again?',
];

/** mulberry32: small, seeded, the same everywhere. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number { return Math.floor(this.next() * limit); }
  pick<T>(from: readonly T[]): T { return from[this.below(from.length)] as T; }
  bytes(length: number): Buffer { return Buffer.from(Array.from({ length }, () => this.below(256))); }
}

interface Attachment {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

const START = Date.UTC(2025, 0, 6, 8);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

function internalDate(ms: number, zone: string): string {
  const at = new Date(ms);
  const day = `${two(at.getUTCDate())}-${MONTHS[at.getUTCMonth()] ?? ''}-${at.getUTCFullYear()}`;
  return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} ${zone}`;
}

/** Makes mails one after another; the same seed gives the same mails. */
export class DemoMails {
  readonly #chance: Chance;
  readonly #attachments: readonly Attachment[];
  #serial = 0;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    const table = Array.from({ length: 400 }, (_, i) => `${i + 1};board ${this.#chance.below(40)};${this.#chance.below(9000) / 100}`);
    this.#attachments = [
      { name: 'north wall.jpg', type: 'image/jpeg', bytes: this.#chance.bytes(240_000) },
      { name: 'survey.pdf', type: 'application/pdf', bytes: Buffer.concat([Buffer.from('%PDF-1.7\n'), this.#chance.bytes(150_000)]) },
      { name: 'material.csv', type: 'text/csv', bytes: Buffer.from(`no;what;price\n${table.join('\n')}\n`) },
      { name: 'Pläne 1911.png', type: 'image/png', bytes: this.#chance.bytes(90_000) },
    ];
  }

  /** The mailbox as it is at first. */
  all(): DemoMail[] {
    return PLANS.flatMap(([folder, count, subjects]) => Array.from({ length: count }, () => this.one(folder, this.#chance.pick(subjects))));
  }

  one(folder: string, subject: string): DemoMail {
    const number = ++this.#serial;
    const chance = this.#chance;
    const [name, address] = chance.pick(PEOPLE);
    const at = START + number * 4.1 * 3_600_000 + chance.below(3_600_000);
    const me = 'Alice Hartmann <alice@harbour.example>';
    const other = `${encodedWord(name)} <${address}>`;
    const [from, to] = folder === 'Sent' ? [me, other] : [other, me];
    const seen = folder !== 'INBOX' || chance.next() < 0.8;
    const flags = [
      ...(seen ? ['\\Seen'] : []), ...(seen && chance.next() < 0.2 ? ['\\Answered'] : []), ...(chance.next() < 0.1 ? ['\\Flagged'] : []),
      ...(folder.startsWith('Projects') && chance.next() < 0.3 ? ['$Work'] : []), ...(chance.next() < 0.05 ? ['later'] : []),
    ];
    const headers = [
      `From: ${from}`, `To: ${to}`, `Subject: ${encodedWord(subject)}`, `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${number}.${chance.below(1e9)}@demo.example>`, 'MIME-Version: 1.0',
    ];
    const date = internalDate(at + 90_000, chance.pick(['+0000', '+0100', '-0700']));
    return { folder, flags: flags.join(' '), date, bytes: this.#body(headers, name) };
  }

  #body(headers: readonly string[], name: string): Buffer {
    const chance = this.#chance;
    const sentences = Array.from({ length: 2 + chance.below(7) }, () => chance.pick(SENTENCES));
    const text = `Hello,\r\n\r\n${sentences.join('\r\n')}\r\n\r\n${name}\r\n`;
    const plain = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}`;
    if (chance.next() < 0.6) return Buffer.from(`${headers.join('\r\n')}\r\n${plain}`);
    const boundary = `=_${chance.below(1e9).toString(36)}`;
    const html = `Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello,</p><p>${sentences.join('<br>\r\n')}</p><p><b>${name}</b></p>\r\n`;
    const attachment = chance.pick(this.#attachments);
    const base64 = attachment.bytes.toString('base64').replace(/(.{76})/g, '$1\r\n');
    const file = `Content-Type: ${attachment.type}\r\nContent-Transfer-Encoding: base64\r\n`
      + `Content-Disposition: attachment; filename="${encodedWord(attachment.name)}"\r\n\r\n${base64}\r\n`;
    const parts = [plain, html, file].map((part) => `--${boundary}\r\n${part}`).join('');
    return Buffer.from(`${headers.join('\r\n')}\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${parts}--${boundary}--\r\n`);
  }
}

/** RFC 2047, where a header needs it. */
function encodedWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}
