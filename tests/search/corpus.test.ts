import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMailSummary, readText } from '../../src/formats/index.ts';
import { searchEntities, type SearchRequest } from '../../src/recovery/index.ts';
import type { Repository } from '../../src/repository/index.ts';
import { MemoryStorage } from '../../src/storage/index.ts';
import { generatedMails } from '../roundTrip/generatedMails.ts';
import { nastyMails } from '../roundTrip/nastyMails.ts';
import { backUpMails, keyOf, searchOfMail } from './mailRepository.ts';
import { matches } from './plainMatcher.ts';

const SEED = 4711;
const { origin, mails: nasty } = nastyMails();
const mails = [...nasty, ...generatedMails(SEED, 60)].filter(({ bytes }) => bytes.length > 0);
const signal = new AbortController().signal;

let directory: string;
let repository: Repository;
/** What each mail says, read here and now. */
const texts: Parameters<typeof matches>[0][] = [];
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
    texts.push({ version: 0, signature: '', date: 0, ...text, name: subject, authors: text.authors.includes(from) ? text.authors : `${from}\n${text.authors}`, recipients: text.recipients || to });
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

test(`words of real mails are found in exactly the mails that say them (${origin}, seed ${SEED})`, async () => {
  expect((await find({ from: 0 })).length).toBe(mails.length);
  // All words that there are, and neighbours of them, at evenly spread places.
  const numbers = fc.sample(fc.tuple(fc.nat(texts.length - 1), fc.nat(100_000), fc.nat(3)), { seed: SEED, numRuns: 30 });
  let asked = 0;
  for (const [mail, place, kind] of numbers) {
    const said = texts[mail];
    const words = `${said?.name} ${said?.authors} ${said?.recipients} ${said?.text.slice(0, 50_000)} ${said?.files}`.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word) && word.length < 60);
    const at = place % Math.max(1, words.length);
    const [one = 'x', two = 'y'] = words.slice(at, at + 2).map((word) => word.replaceAll(/["“”„«»]|^-+|\*+$/g, ''));
    const query = [one, `"${one} ${two}"`, `${[...one].slice(0, 4).join('')}*`, `${one} -${two}`][kind] ?? '';
    const expected = texts.flatMap((text, i) => (matches(text, { words: query }) === true ? [keyOf(i)] : []));
    if (matches(texts[0] as (typeof texts)[number], { words: query }) === undefined) continue;
    asked++;
    expect(await find({ words: query }), query).toEqual(expected);
  }
  expect(asked).toBeGreaterThan(20);
});

test('each mail that cannot be read is named', () => {
  expect(warned).toEqual(Array.from({ length: unreadable }, () => 'search/unreadable'));
});
