/** Mails as their words alone, each made from its number: as many as wanted, without a byte stored anywhere. */

const VOCABULARY = 60_000;
const PEOPLE = 5_000;
const SYLLABLES = 'ba co di fu ge hi jo ka le mi no pa qui ro su ta ve wi xa zo ban cor del fin gar hol jun kel lor mar'.split(' ');
const HAN = '東京都大阪府会議報告予算計画契約請求書来週月曜日午後資料確認部長出張新製品開発';
const HEBREW = 'שלום חשבונית פגישה דוח תקציב חוזה מחר ירושלים חברה הצעה'.split(' ');
const ARABIC = 'مرحبا فاتورة اجتماع تقرير ميزانية عقد غدا القاهرة شركة عرض'.split(' ');
const BODY_WORDS = 120;

export interface SyntheticText {
  readonly subject: string;
  readonly author: string;
  readonly recipients: string;
  readonly text: string;
  readonly files: string;
}

/** mulberry32: the next number of a stream, 0 to 1. */
export function numbersFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The word of a rank; low ranks are common ones. */
export function wordOf(rank: number): string {
  let rest = rank + SYLLABLES.length;
  let word = '';
  while (rest > 0) {
    word += SYLLABLES[rest % SYLLABLES.length] ?? '';
    rest = Math.floor(rest / SYLLABLES.length);
  }
  return word;
}

/** A rank as often as words come in texts: about one in its rank (Zipf). */
export function anyRank(random: () => number): number {
  return Math.floor(VOCABULARY ** random()) - 1;
}

export const addressOf = (person: number): string => `${wordOf(person * 7)}.${wordOf(person)}@${person % 3 === 0 ? 'example.test' : `${wordOf(person % 40)}.test`}`;
export const personOf = (person: number): string => `${wordOf(person * 7)} ${wordOf(person)} ${addressOf(person)}`;
/** Few people write most mails. */
export const anyPerson = (random: () => number): number => Math.floor(PEOPLE ** random()) - 1;

function words(random: () => number, count: number, more: readonly string[]): string {
  const made: string[] = [];
  for (let i = 0; i < count; i++) {
    const share = random();
    const word = more.length > 0 && share < 0.5 ? more[Math.floor(random() * more.length)] ?? '' : wordOf(anyRank(random));
    made.push(share > 0.97 ? `${word}-${wordOf(anyRank(random))}` : word);
  }
  return made.join(' ');
}

function han(random: () => number, length: number): string {
  const start = Math.floor(random() * HAN.length);
  return Array.from({ length }, (_, i) => HAN[(start + i * (1 + Math.floor(random() * 3))) % HAN.length]).join('');
}

/** Of twenty mails one is Chinese or Japanese, one Hebrew and one Arabic. */
export function syntheticText(number: number): SyntheticText {
  const random = numbersFrom(number * 2_654_435_761);
  const script = number % 20;
  const more = script === 1 ? Array.from({ length: 8 }, () => han(random, 2 + Math.floor(random() * 6))) : script === 2 ? HEBREW : script === 3 ? ARABIC : [];
  const others = Array.from({ length: 1 + Math.floor(random() * 3) }, () => personOf(anyPerson(random)));
  return {
    subject: words(random, 4, more), author: personOf(anyPerson(random)), recipients: others.join('\n'),
    text: words(random, BODY_WORDS / 2 + Math.floor(random() * BODY_WORDS), more),
    files: random() < 0.2 ? `${words(random, 2, [])}.pdf` : '',
  };
}
