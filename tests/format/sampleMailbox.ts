import type { BinaryString, Entity, Outcome } from '../../src/domain/index.ts';
import type { Fetched, SourceChange, SourceItem, SourceSession } from '../../src/connectors/contract.ts';

interface Entry {
  readonly item: SourceItem;
  readonly bytes: Buffer | undefined;
  readonly outcome: Outcome | undefined;
  /** Key of the row of the previous snapshot that has the same content. */
  readonly movedFrom: BinaryString | undefined;
}

/** Stands in for a mail server: folders and mails in memory, told as a connector tells them. */
export class SampleMailbox {
  readonly entity: Entity;
  readonly #entries = new Map<BinaryString, Entry>();

  constructor(entity: Entity) {
    this.entity = entity;
  }

  folder(number: number, name: string): void {
    const item = { key: folderKey(number), parent: '', name, kind: 'folder', size: 0, modified: null, change: name, meta: '{"path":["x"]}' };
    this.#entries.set(item.key, { item, bytes: undefined, outcome: undefined, movedFrom: undefined });
  }

  mail(folder: number, uid: number, subject: string, bytes: Buffer, flags = ''): void {
    const item = {
      key: mailKey(folder, uid), parent: folderKey(folder), name: subject, kind: 'mail', size: bytes.length,
      modified: Date.parse('2026-01-05T09:30:00Z') + uid * 60_000, change: flags,
      meta: JSON.stringify({ flags: flags.split(' '), internalDate: '05-Jan-2026 09:30:00 +0000', from: 'Zoë <ada@example.test>' }),
    };
    this.#entries.set(item.key, { item, bytes, outcome: undefined, movedFrom: undefined });
  }

  /** One that the server lists and does not give. */
  unreadable(folder: number, uid: number, subject: string): void {
    this.mail(folder, uid, subject, Buffer.alloc(0));
    const outcome: Outcome = { state: 'skipped', code: 'vanished', message: 'It was deleted between listing and reading.' };
    const entry = this.#entry(folder, uid);
    this.#entries.set(entry.item.key, { ...entry, bytes: undefined, outcome });
  }

  /** The same mail, elsewhere, and known to be the same. */
  move(folder: number, uid: number, toFolder: number, toUid: number): void {
    const { item, bytes } = this.#entry(folder, uid);
    this.#entries.delete(item.key);
    const moved = { ...item, key: mailKey(toFolder, toUid), parent: folderKey(toFolder) };
    this.#entries.set(moved.key, { item: moved, bytes, outcome: undefined, movedFrom: item.key });
  }

  remove(folder: number, uid: number): void {
    this.#entries.delete(mailKey(folder, uid));
  }

  #entry(folder: number, uid: number): Entry {
    const entry = this.#entries.get(mailKey(folder, uid));
    if (!entry) throw new Error(`there is no mail ${uid} in folder ${folder}`);
    return entry;
  }

  /** What a snapshot must give back: row and content by key. */
  contents(): { item: SourceItem; bytes: Buffer | undefined }[] {
    return this.#sorted().map(({ item, bytes }) => ({ item, bytes }));
  }

  #sorted(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => (a.item.key < b.item.key ? -1 : 1));
  }

  session(): SourceSession {
    const entries = this.#sorted();
    const byKey = new Map(entries.map((entry) => [entry.item.key, entry]));
    return {
      entity: this.entity,
      async* enumerate() {
        yield [{ type: 'listing', prefix: '' }, ...entries.map(changeOf), { type: 'listed', prefix: '' }];
      },
      cursor: () => JSON.stringify({ listed: entries.length }),
      async* fetch(items): AsyncIterable<Fetched> {
        // A copy: what is given is handed to a thread, and gone here.
        for (const item of items) yield { item, bytes: Uint8Array.from(byKey.get(item.key)?.bytes ?? []) };
      },
      close: async () => {},
    };
  }
}

function changeOf({ item, outcome, movedFrom }: Entry): SourceChange {
  if (outcome) return { type: 'exception', item, outcome };
  if (item.kind === 'folder') return { type: 'item', item, content: { from: 'none' } };
  return { type: 'item', item, content: movedFrom === undefined ? { from: 'fetch' } : { from: 'previous', key: movedFrom } };
}

function folderKey(number: number): BinaryString {
  return `f${word(number)}`;
}

function mailKey(folder: number, uid: number): BinaryString {
  return `m${word(folder)}${word(0xfe00_0001)}${word(uid)}`;
}

function word(value: number): BinaryString {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('latin1');
}
