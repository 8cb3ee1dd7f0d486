import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMailSummary, readText } from '../../src/formats/index.ts';
import { searchEntities, type SearchRequest } from '../../src/recovery/index.ts';
import type { Repository } from '../../src/repository/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { generatedMails } from '../roundTrip/generatedMails.ts';
import { nastyMails } from '../roundTrip/nastyMails.ts';
import { backUpMails, keyOf, searchOfMail } from './mailRepository.ts';
import { matches, type Asked } from './plainMatcher.ts';

const SEED = 4711;
type Said = Parameters<typeof matches>[0];
/** Two words that stand beside each other. */
const wordsAt = (text: string, place: number): readonly [string, string] => {
  const words = text.slice(0, 50_000).split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word) && word.length < 60);
  const at = place % Math.max(1, words.length);
  const [one = 'x', two = 'y'] = words.slice(at, at + 2).map((word) => word.replaceAll(/["“”„«»]|^-+|\*+$/g, ''));
  return [one, two];
};
const anywhere = ({ name, authors, recipients, text, files }: Said): string => `${name} ${authors} ${recipients} ${text} ${files}`;
/** Every kind of query that there is, but for folders: of them search.test.ts has many. */
const KINDS: readonly ((said: Said, place: number) => Asked)[] = [
  (said, place) => ({ words: wordsAt(anywhere(said), place)[0] }),
  (said, place) => ({ words: `"${wordsAt(anywhere(said), place).join(' ')}"` }),
  (said, place) => ({ words: `${[...wordsAt(anywhere(said), place)[0]].slice(0, 4).join('')}*` }),
  (said, place) => ({ words: wordsAt(anywhere(said), place).join(' -') }),
  ({ authors }, place) => ({ author: wordsAt(authors, place)[0] }),
  ({ recipients }, place) => ({ recipient: wordsAt(recipients, place)[0] }),
  ({ name }, place) => ({ name: wordsAt(name, place)[0] }),
  (said, place) => ({ words: wordsAt(anywhere(said), place)[0], from: 1e12 + (place % 100) * 1000, until: 1e12 + 1e6 }),
];
const { origin, mails: nasty } = nastyMails();
const mails = [...nasty, ...generatedMails(SEED, 60)].filter(({ bytes }) => bytes.length > 0);
const signal = new AbortController().signal;

let directory: string;
let repository: Repository;
/** What each mail says, read here and now. */
const texts: Said[] = [];
const warned: string[] = [];
/** Those that the parser gives up on. */
let unreadable = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  repository = await backUpMails(new MemoryStorage(), directory, mails.map(({ bytes }) => bytes));
  for (const { bytes } of mails) {
    const { subject, from, to } = readMailSummary(bytes);
    const none = { authors: '', recipients: '', text: '', files: '' };
    const text = await readText('mail', bytes).catch(() => {
      unreadable++;
      return none;
    });
    texts.push({ date: 1e12 + texts.length * 1000, ...text, name: subject, authors: text.authors.includes(from) ? text.authors : `${from}\n${text.authors}`, recipients: text.recipients || to });
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

async function find(query: SearchRequest['query']): Promise<string[]> {
  const snapshots = (await repository.snapshots()).map(({ manifest }) => manifest);
  const { hits } = await searchEntities(repository, [{ snapshots, search: searchOfMail }], {
    query, limit: 1000, index: true, signal, progress: (event) => event.type === 'warning' && warned.push(event.code),
  });
  return hits.map(({ row }) => row.key).reverse();
}

test(`words of real mails are found in exactly the mails that say them (${origin}, seed ${SEED})`, { timeout: 400_000 }, async () => {
  expect((await find({ from: 0 })).length).toBe(mails.length);
  // All words that there are, and neighbours of them, at evenly spread places.
  const numbers = fc.sample(fc.tuple(fc.nat(texts.length - 1), fc.nat(100_000), fc.nat(KINDS.length - 1)), { seed: SEED, numRuns: 40 });
  const asked = new Map<number, number>();
  for (const [mail, place, kind] of numbers) {
    const query = KINDS[kind]?.(texts[mail] as Said, place) ?? {};
    const answers = texts.map((text) => matches(text, query));
    if (answers.includes(undefined)) continue;
    asked.set(kind, (asked.get(kind) ?? 0) + 1);
    expect(await find(query), JSON.stringify(query)).toEqual(answers.flatMap((found, i) => (found === true ? [keyOf(i)] : [])));
  }
  expect([...asked.keys()].toSorted((a, b) => a - b)).toEqual(KINDS.map((_, i) => i));
});

test('each mail that cannot be read is named', () => {
  expect(warned).toEqual(Array.from({ length: unreadable }, () => 'search/unreadable'));
});
