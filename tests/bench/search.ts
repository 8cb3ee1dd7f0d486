/**
 * Fills a catalog with mails of which only the words are made, indexes them as the product does, times every kind of question, and compares one of each
 * with a plain scan. `node tests/bench/search.ts [mails] [seed] [directory]`; prints JSON lines. Not part of CI.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '../../src/catalog/index.ts';
import type { IndexedVersion } from '../../src/catalog/index.ts';
import type { ItemRow, RowChange } from '../../src/domain/index.ts';
import { addressOf, anyPerson, anyRank, numbersFrom, syntheticText, wordOf } from '../sources/syntheticTexts.ts';
import { compareWithScan, type Question } from './searchScan.ts';

const MAILS = Number(process.argv[2] ?? 1_000_000);
const random = numbersFrom(Number(process.argv[3] ?? 42));
const directory = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'search-bench-'));
const FOLDERS = 200;
const QUESTIONS = 100;
const BATCH = 256;
/** The first half of the mails, all of them, and some more. */
const [EARLY, FULL, LATER] = ['1', '2', '3'].map((digit) => digit.padStart(32, '0')) as [string, string, string];
const FIRST_MAIL = 1.4e12;
const BETWEEN = 300_000;

const below = (limit: number): number => Math.floor(random() * limit);
const itemKey = (index: number): string => `M${String(index).padStart(9, '0')}`;
const folderKey = (index: number): string => `F${String(index).padStart(4, '0')}`;
const folderOf = (index: number): number => (index % 5 < 2 ? 0 : 1 + (index % (FOLDERS - 1)));

function folder(index: number): ItemRow {
  return { key: folderKey(index), parent: '', name: `Folder ${index}`, kind: 'folder', size: 0, modified: null, change: '', meta: '', outcome: '', content: '' };
}

function mail(index: number): ItemRow {
  const { subject, author } = syntheticText(index);
  return {
    key: itemKey(index), parent: folderKey(folderOf(index)), name: subject, kind: 'mail', size: 20_000, modified: FIRST_MAIL + index * BETWEEN,
    change: '', meta: JSON.stringify({ from: author }), outcome: '', content: `content of ${index}`,
  };
}

async function* rows(from: number, to: number): AsyncGenerator<RowChange[]> {
  if (from === 0) yield Array.from({ length: FOLDERS }, (_, i) => ({ row: folder(i) }));
  for (let start = from; start < to; start += 1000) {
    yield Array.from({ length: Math.min(1000, to - start) }, (_, i) => ({ row: mail(start + i) }));
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
const print = (what: string, figures: Record<string, number | string>): void => console.log(JSON.stringify({ what, ...figures }));

async function timed<T>(action: () => Promise<T>): Promise<[wallMs: number, result: T, cpuMs: number]> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await action();
  const { user, system } = process.cpuUsage(cpu);
  return [performance.now() - start, result, (user + system) / 1000];
}

/** What src/recovery/buildSearchIndex.ts does, with words that are made instead of read. */
async function indexAll({ search }: Catalog): Promise<number> {
  let indexed = 0;
  for (let group = await search.pendingGroup(undefined); group; group = await search.pendingGroup(group.last)) {
    for (let after = 0, more = true; more;) {
      const found = await search.pending(group, after, BATCH);
      after = found.at(-1)?.version ?? 0;
      more = found.length === BATCH;
      const signed = found.map(({ version, row }) => ({ version, signature: JSON.stringify([row.name, row.parent, row.modified, row.content]) }));
      const unread = new Set(await search.link(signed));
      const documents = found.flatMap(({ version, row }, i): IndexedVersion[] => {
        if (!unread.has(version)) return [];
        const { subject, author, ...words } = syntheticText(Number(row.key.slice(1)));
        return [{ version, signature: signed[i]?.signature ?? '', date: row.modified, name: subject, authors: author, ...words }];
      });
      await search.index(documents);
      indexed += documents.length;
    }
  }
  return indexed;
}

const anyWord = (): string => wordOf(anyRank(random));
const anyMail = () => syntheticText(below(MAILS));
const partOf = (text: string, count: number): string => {
  const all = text.split(' ');
  const start = below(Math.max(1, all.length - count));
  return all.slice(start, start + count).join(' ');
};
const hanWord = (): string => partOf(syntheticText(below(MAILS / 20) * 20 + 1).text, 20).split(' ').find((word) => /\p{sc=Han}/u.test(word)) ?? '東京';

const KINDS: Record<string, () => Question> = {
  'one word': () => ({ words: anyWord() }),
  'a common word': () => ({ words: wordOf(below(20)) }),
  'a rare word': () => ({ words: wordOf(20_000 + below(40_000)) }),
  'two words': () => ({ words: `${anyWord()} ${anyWord()}` }),
  'three words of a mail': () => ({ words: anyMail().text.split(' ').filter(() => random() < 0.1).slice(0, 3).join(' ') || anyWord() }),
  'two common words': () => ({ words: `${wordOf(below(20))} ${wordOf(below(20))}` }),
  'a phrase': () => ({ words: `"${partOf(anyMail().text, 3)}"` }),
  'a phrase of common words': () => ({ words: `"${wordOf(below(20))} ${wordOf(below(20))}"` }),
  'a hyphenated word': () => ({ words: `${wordOf(below(500))}-${wordOf(below(500))}` }),
  'an address': () => ({ words: addressOf(anyPerson(random)) }),
  'from an address': () => ({ author: addressOf(anyPerson(random)) }),
  'to a name': () => ({ recipient: wordOf(anyPerson(random)) }),
  'subject words': () => ({ name: partOf(anyMail().subject, 2) }),
  'from and word': () => ({ author: wordOf(anyPerson(random)), words: anyWord() }),
  'beginning of one letter': () => ({ words: `${wordOf(below(2000)).slice(0, 1)}*` }),
  'beginning of two letters': () => ({ words: `${wordOf(below(2000)).slice(0, 2)}*` }),
  'beginning of three letters': () => ({ words: `${wordOf(below(2000)).slice(0, 3)}*` }),
  'beginning of four letters': () => ({ words: `${wordOf(1000 + below(20_000)).slice(0, 4)}*` }),
  'beginning of five letters': () => ({ words: `${wordOf(1000 + below(20_000)).slice(0, 5)}*` }),
  'beginning of six letters': () => ({ words: `${wordOf(1000 + below(20_000)).slice(0, 6)}*` }),
  'Chinese or Japanese': () => ({ words: hanWord() }),
  'one Chinese character': () => ({ words: hanWord().slice(0, 1) }),
  Hebrew: () => ({ words: partOf(syntheticText(below(MAILS / 20) * 20 + 2).subject, 1) }),
  Arabic: () => ({ words: partOf(syntheticText(below(MAILS / 20) * 20 + 3).subject, 1) }),
  'word without another': () => ({ words: `${wordOf(below(100))} -${wordOf(below(100))}` }),
  'all without a word': () => ({ words: `-${wordOf(below(100))}` }),
  'a week': () => ({ from: FIRST_MAIL + below(MAILS) * BETWEEN, until: FIRST_MAIL + below(MAILS) * BETWEEN }),
  'word before a day': () => ({ words: anyWord(), until: FIRST_MAIL + below(MAILS) * BETWEEN }),
  'a folder': () => ({ folder: `Folder ${below(FOLDERS)}` }),
  'word in a folder': () => ({ words: anyWord(), folder: `Folder ${below(FOLDERS)}` }),
  'a word at an early snapshot': () => ({ words: anyWord(), at: EARLY }),
  'a common word at an early snapshot': () => ({ words: wordOf(below(20)), at: EARLY }),
  'all of an early snapshot': () => ({ at: EARLY }),
  'a word at the last snapshot': () => ({ words: anyWord(), at: FULL }),
  'nothing found': () => ({ words: `${anyWord()} nosuchword` }),
};

/** A place between the newest and the oldest hit. */
const deep = (): number => (Math.floor((FIRST_MAIL + below(MAILS) * BETWEEN) / 1000) + 2 ** 31) * 4096;

async function questions({ search }: Catalog): Promise<void> {
  for (const [kind, make] of Object.entries(KINDS)) {
    const times: number[] = [];
    const later: number[] = [];
    let cpuMs = 0;
    let hits = 0;
    for (let count = 0; count < QUESTIONS; count++) {
      const { at: snapshot, ...query } = make();
      const [ms, page, cpu] = await timed(() => search.find(query, { limit: 50, snapshot }));
      times.push(ms);
      cpuMs += cpu;
      hits += page.hits.length;
      const after = page.hits.at(-1)?.place;
      if (page.more) later.push((await timed(() => search.find(query, { limit: 50, snapshot, after })))[0]);
      // A place far down the list.
      if (page.more) later.push((await timed(() => search.find(query, { limit: 50, snapshot, after: deep() })))[0]);
    }
    printTimes(`search, ${kind}`, times, { hits, meanCpuMs: rounded(cpuMs / QUESTIONS) });
    if (later.length > 0) printTimes(`pages further down, ${kind}`, later, {});
  }
}

function printTimes(what: string, times: number[], more: Record<string, number>): void {
  times.sort((a, b) => a - b);
  const at = (share: number): number => rounded(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
  print(what, { count: times.length, medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1), ...more });
}

/** One question of each kind, with all its hits. */
async function compare(catalog: Catalog): Promise<void> {
  const asked = Object.values(KINDS).map((make) => make());
  const start = performance.now();
  const { hits, differing } = await compareWithScan(catalog, asked, {
    mails: MAILS, indexOf: (key) => Number(key.slice(1)), shownAt: (snapshot) => (snapshot === EARLY ? Math.floor(MAILS / 2) : MAILS),
    document: (index) => {
      const { subject, author, ...words } = syntheticText(index);
      return { name: subject, authors: author, ...words, date: FIRST_MAIL + index * BETWEEN, path: `/Folder ${folderOf(index)}` };
    },
  });
  print('compared with a plain scan', { questions: asked.length, hits, differing: differing.join('; '), seconds: rounded((performance.now() - start) / 1000) });
}

function peakMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

let catalog = await Catalog.open({ directory, entity: 'bench', generation: '1' });
try {
  const half = Math.floor(MAILS / 2);
  const startedAt = (mails: number): string => new Date(FIRST_MAIL + mails * BETWEEN).toISOString();
  const [addMs] = await timed(async () => {
    await catalog.addSnapshot({ id: EARLY, startedAt: startedAt(half) }, rows(0, half), { base: undefined });
    await catalog.addSnapshot({ id: FULL, startedAt: startedAt(MAILS) }, rows(half, MAILS), { base: EARLY });
  });
  print('rows', { rows: MAILS, seconds: rounded(addMs / 1000) });
  const [makeMs] = await timed(async () => { for (let i = 0; i < 2000; i++) syntheticText(i); });
  const [indexMs, indexed, indexCpuMs] = await timed(() => indexAll(catalog));
  print('index', { documents: indexed, seconds: rounded(indexMs / 1000), perSecond: Math.round(indexed / (indexMs / 1000)), cpuSeconds: rounded(indexCpuMs / 1000), ofWhichMakingTextsSeconds: rounded(makeMs / 2000 * MAILS / 1000) });
  const [tidyMs] = await timed(() => catalog.search.tidy());
  print('merging', { seconds: rounded(tidyMs / 1000) });
  const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  print('files', { megabytes: Math.round(bytes / 2 ** 20), bytesPerMail: Math.round(bytes / MAILS) });
  print('memory', { peakRssMB: peakMb() });
  await catalog.close();
  catalog = await Catalog.open({ directory, entity: 'bench', generation: '1' });
  const [coldMs] = await timed(() => catalog.search.find({ words: wordOf(1) }, { limit: 50 }));
  print('first search after opening', { ms: rounded(coldMs) });
  print('from nothing to the first hits', { seconds: rounded((addMs + indexMs + tidyMs + coldMs) / 1000) });
  await questions(catalog);
  await compare(catalog);
  const more = Math.ceil(MAILS / 1000);
  await catalog.addSnapshot({ id: LATER, startedAt: startedAt(MAILS + more) }, rows(MAILS, MAILS + more), { base: FULL });
  const [moreMs, added] = await timed(() => indexAll(catalog));
  print('one more snapshot, 0.1 % new', { documents: added, ms: rounded(moreMs) });
  if (indexed !== MAILS || added !== more) throw new Error(`${indexed} and ${added} documents instead of ${MAILS} and ${more}`);
  const [dropMs] = await timed(() => catalog.dropSnapshots([LATER]));
  print('dropping it again', { ms: rounded(dropMs) });
  print('memory', { peakRssMB: peakMb() });
} finally {
  await catalog.close();
  rmSync(directory, { recursive: true, force: true });
}
