import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { openSource } from '../../src/connectors/folder/index.ts';
import type { SourceSession } from '../../src/connectors/contract.ts';
import { runBackup } from '../../src/backup/index.ts';
import { addKey, prune, removeKey, Repository, rotateKeys } from '../../src/repository/index.ts';
import type { Manifest } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { FaultyStorage } from '../../src/storage/trial/index.ts';
import type { RandomBytes } from '../../src/runtime/index.ts';
import { mail, prose } from './sampleMails.ts';
import { SampleMailbox } from './sampleMailbox.ts';
import { seededRandom, SteppingClock } from './seeded.ts';

/** What one item must be when it is given back. */
export interface ExpectedItem {
  readonly kind: string;
  readonly size: number;
  /** Hex, or null where no content is stored. */
  readonly sha256: string | null;
}

export interface ExpectedSnapshot {
  readonly entity: string;
  readonly id: string;
  /** By the names from the top, '/'-separated. */
  readonly items: Readonly<Record<string, ExpectedItem>>;
}

export interface Sample {
  readonly operatorKey: Buffer;
  readonly recoveryKey: Buffer;
  /** All that stand in the end, also one that a prune which was cut off is about to remove; by entity, then time. */
  readonly snapshots: readonly ExpectedSnapshot[];
  /** Names and texts that must not show in the bucket. */
  readonly secrets: readonly string[];
}

/**
 * A small repository with everything in it that version 1 knows: chunks, shared attachments, recipes kept in blobs, moves,
 * deletions, an exception, snapshots that were pruned, a checkpoint, a pin, an unsealed manifest, and a prune that was cut off.
 * `folder` is an empty directory; its path becomes part of the repository.
 */
export async function makeSample(storage: Storage, folder: string, cacheDirectory: string, seed: string): Promise<Sample> {
  const random = seededRandom(seed);
  const operatorKey = Buffer.from(random(32));
  const recoveryKey = Buffer.from(random(32));
  const clock = new SteppingClock('2026-01-05T10:00:00Z');
  const faulty = new FaultyStorage(storage);
  const repository = await Repository.init(faulty, operatorKey, recoveryKey, { cacheDirectory, clock, random });
  return new SampleMaker(repository, faulty, clock, folder, random).make({ operatorKey, recoveryKey });
}

const HALF_A_DAY = 43_200_000;
const MAIL_OWNER = 'imap:mailbox-of-ada@mail.example.test';

class SampleMaker {
  readonly #repository: Repository;
  readonly #storage: FaultyStorage;
  readonly #clock: SteppingClock;
  readonly #folder: string;
  readonly #random: RandomBytes;
  readonly #mailbox = new SampleMailbox({ id: MAIL_OWNER, service: 'imap', name: 'mailbox-of-ada' });
  readonly #made: ExpectedSnapshot[] = [];

  constructor(repository: Repository, storage: FaultyStorage, clock: SteppingClock, folder: string, random: RandomBytes) {
    this.#repository = repository;
    this.#storage = storage;
    this.#clock = clock;
    this.#folder = folder;
    this.#random = random;
  }

  async make(keys: Pick<Sample, 'operatorKey' | 'recoveryKey'>): Promise<Sample> {
    const shared = this.#random(9000);
    const report = this.#random(150_000);
    const large = this.#random(200_000);
    this.#firstFiles(shared, report, large);
    await this.#backUpFolder();
    this.#firstMails(shared, report);
    await this.#backUpMailbox();
    this.#secondFiles(large);
    await this.#backUpFolder();
    this.#secondMails();
    await this.#backUpMailbox();
    await this.#newKeys();
    this.#write('third.txt', prose(this.#random, 3000));
    await this.#backUpFolder();
    this.#clock.nextDay();
    // The first snapshot of each entity goes, and what only they needed.
    await prune(this.#repository, { keepLast: 2 }, { graceMs: 0 });
    await this.#thirdMailsAndALastingPin();
    await this.#unsealedManifest();
    this.#clock.nextDay();
    await this.#checkpoint();
    await this.#cutOffPrune();
    const standing = new Set((await this.#repository.snapshots()).map(({ manifest }) => manifest.id));
    const snapshots = this.#made.filter(({ id }) => standing.has(id)).toSorted((a, b) => (a.entity + a.id < b.entity + b.id ? -1 : 1));
    const secrets = ['mailbox-of-ada', basename(this.#folder), 'Übersicht.txt', 'notes.txt', 'Archive', 'winter plans', 'ada@example.test'];
    return { ...keys, snapshots, secrets };
  }

  /** One more operator key, a rotation, one more recovery key in place of it, and the rotation that comes with that. */
  async #newKeys(): Promise<void> {
    const added = await addKey(this.#repository, 'operator', this.#random(32));
    await rotateKeys(this.#repository);
    await addKey(this.#repository, 'recovery', this.#random(32));
    await removeKey(this.#repository, added);
  }

  #firstFiles(shared: Buffer, report: Buffer, large: Buffer): void {
    mkdirSync(join(this.#folder, 'projects/old'), { recursive: true });
    this.#write('notes.txt', prose(this.#random, 2500));
    this.#write('empty', Buffer.alloc(0));
    this.#write('projects/Übersicht.txt', prose(this.#random, 9000));
    this.#write('projects/attached.bin', shared);
    this.#write('projects/report.bin', report);
    this.#write('projects/old/large.bin', large);
    this.#write('projects/old/gone-soon.txt', prose(this.#random, 20_000));
    symlinkSync('projects/Übersicht.txt', join(this.#folder, 'link'));
  }

  #secondFiles(large: Buffer): void {
    this.#write('notes.txt', prose(this.#random, 2600));
    this.#write('projects/old/large.bin', Buffer.concat([large.subarray(0, 90_000), Buffer.from('inserted'), large.subarray(90_000)]));
    unlinkSync(join(this.#folder, 'projects/old/gone-soon.txt'));
    renameSync(join(this.#folder, 'projects/attached.bin'), join(this.#folder, 'attached.bin'));
  }

  #write(path: string, bytes: Buffer): void {
    const file = join(this.#folder, path);
    writeFileSync(file, bytes);
    utimesSync(file, 1_767_000_000, 1_767_000_000);
  }

  #firstMails(shared: Buffer, report: Buffer): void {
    const box = this.#mailbox;
    box.folder(1, 'INBOX');
    box.folder(2, 'Archive');
    for (let uid = 1; uid <= 6; uid++) box.mail(1, uid, `winter plans ${uid}`, mail(`winter plans ${uid}`), '\\Seen');
    const small = { name: 'small.bin', bytes: shared };
    box.mail(1, 7, 'with an attachment', mail('with an attachment', [small]));
    box.mail(1, 8, 'the same attachment', mail('the same attachment', [{ ...small, line: 64 }], '\n'));
    box.mail(1, 9, 'a long report', mail('a long report', [{ name: 'report.bin', bytes: report }]));
    box.mail(1, 10, 'many parts', mail('many parts', Array.from({ length: 40 }, (_, i) => ({ name: `part${i}.bin`, bytes: shared.subarray(0, 4200) }))));
    const broken = mail('cut base64', [small]);
    box.mail(1, 11, 'cut base64', broken.subarray(0, broken.length - 5003));
    box.mail(1, 12, 'no text', Buffer.alloc(0));
    box.unreadable(1, 13, 'not given');
  }

  #secondMails(): void {
    const box = this.#mailbox;
    box.remove(1, 1);
    box.move(1, 2, 2, 20);
    box.mail(1, 3, 'winter plans 3', mail('winter plans 3'), '\\Seen \\Flagged');
    box.mail(1, 14, 'news', mail('news', [{ name: 'prose.txt', bytes: prose(this.#random, 30_000) }]));
  }

  async #thirdMailsAndALastingPin(): Promise<void> {
    this.#mailbox.mail(2, 21, 'more news', mail('more news'));
    this.#storage.add({ on: 'delete', prefix: 'pins/', times: Infinity, effect: { kind: 'refused' } });
    await this.#backUpMailbox();
    this.#storage.heal();
  }

  /** A run that stored something, wrote a checkpoint and was never heard of again. */
  async #checkpoint(): Promise<void> {
    const session = await this.#repository.begin(this.#mailbox.entity, { workers: 1 });
    try {
      const bytes = new Uint8Array(mail('never sealed', [{ name: 'prose.txt', bytes: prose(this.#random, 9000) }]));
      const { results } = await session.store([{ source: { bytes }, size: bytes.length, modified: null, mail: true }]);
      const [result] = await results;
      const counts = session.previousCounts;
      if (!result || !counts) throw new Error('nothing was stored');
      const item = { key: 'm~', parent: '', name: 'never sealed', kind: 'mail', modified: null, change: '', meta: '', outcome: '' };
      session.row({ row: { ...item, size: result.size, content: result.content } });
      await session.checkpoint(counts, item.key);
    } finally {
      await session.close();
    }
  }

  async #unsealedManifest(): Promise<void> {
    this.#write('unsealed.txt', prose(this.#random, 5000));
    this.#storage.add({ on: 'put', prefix: 'seals/', times: Infinity, effect: { kind: 'refused' } });
    await this.#backUpFolder().then(() => { throw new Error('it was sealed'); }, expectFault);
    this.#storage.heal();
    unlinkSync(join(this.#folder, 'unsealed.txt'));
  }

  /** Announced and voided, and killed before the first deletion. The checkpoint is too young for it. */
  async #cutOffPrune(): Promise<void> {
    this.#storage.add({ on: 'delete', prefix: 'snapshots/', times: Infinity, effect: { kind: 'refused' } });
    await prune(this.#repository, { keepLast: 2 }, { graceMs: HALF_A_DAY }).then(() => { throw new Error('it was not cut off'); }, expectFault);
    this.#storage.heal();
  }

  async #backUpFolder(): Promise<void> {
    const source = await openSource({ path: this.#folder, clock: this.#clock });
    const manifest = await this.#backUp(source);
    const items: Record<string, ExpectedItem> = {};
    for (const entry of readdirSync(this.#folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const bytes = entry.isFile() ? readFileSync(path) : undefined;
      items[relative(this.#folder, path)] = expectedItem(entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : 'link', bytes);
      if (bytes && statSync(path).size !== bytes.length) throw new Error(`${path} changed`);
    }
    this.#made.push({ entity: source.entity.id, id: manifest.id, items });
  }

  async #backUpMailbox(): Promise<void> {
    const manifest = await this.#backUp(this.#mailbox.session());
    const contents = this.#mailbox.contents();
    const names = new Map(contents.map(({ item }) => [item.key, item.name]));
    const items = Object.fromEntries(contents.map(({ item, bytes }) => {
      const parent = names.get(item.parent);
      return [parent === undefined ? item.name : `${parent}/${item.name}`, expectedItem(item.kind, bytes)];
    }));
    this.#made.push({ entity: this.#mailbox.entity.id, id: manifest.id, items });
  }

  async #backUp(source: SourceSession): Promise<Manifest> {
    this.#clock.nextDay();
    const { signal } = new AbortController();
    try {
      return await runBackup(this.#repository, source, { signal, progress: () => {}, clock: this.#clock, workers: 1 });
    } finally {
      await source.close();
    }
  }
}

function expectedItem(kind: string, bytes: Buffer | undefined): ExpectedItem {
  return { kind, size: bytes?.length ?? 0, sha256: bytes ? createHash('sha256').update(bytes).digest('hex') : null };
}

function expectFault(error: unknown): void {
  if ((error as { code?: unknown }).code !== 'storage/unavailable') throw error;
}
