import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { releaseMemory } from '../../../runtime/index.ts';

/** Characters of records that are held before they go to disk. While they are written as many may come. */
const HELD = 8 << 20;
/** Bytes of all sorted files together that are read ahead, and the bounds of that for one: memory must not grow with the number of files. */
const READ_AHEAD = 8 << 20;
const MOST_AHEAD = 256 << 10;
const LEAST_AHEAD = 16 << 10;
/** Characters that are read between two collections of garbage. */
const COLLECTED = 8 << 20;
const PIECE = 1 << 20;
/** Bytes of one file that are text at once. */
const TEXT_BYTES = 16 << 10;
const LINE_END = 10;

interface SpoolRecord {
  readonly key: string;
  readonly value: string;
}

/** The records of one key, in the order in which they were added. */
export interface SpooledGroup {
  readonly key: string;
  readonly values: readonly string[];
}

/**
 * Records that come in any order and are wanted by key. Memory holds a part of them; what is more lies sorted on disk and is merged when it is
 * read. Keys are printable ASCII, values have no line ends (JSON text has none).
 */
export class SortedSpool {
  readonly #directory: string;
  readonly #name: string;
  readonly #most: number;
  readonly #files: string[] = [];
  #held: SpoolRecord[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Records so far. */
  length = 0;

  constructor(directory: string, name: string, most = HELD) {
    this.#directory = directory;
    this.#name = name;
    this.#most = most;
  }

  /** May be called by several at once; waits while an earlier part is being written. */
  async add(key: string, value: string): Promise<void> {
    this.#held.push({ key, value });
    this.#size += key.length + value.length;
    this.length++;
    if (this.#size >= this.#most) await this.#flush();
  }

  /** In ascending order of keys. May be asked for again; nothing may be added while it is read. Garbage is collected on the way, that of who reads with it. */
  async *groups(): AsyncGenerator<SpooledGroup> {
    await this.#writing;
    this.#held.sort(byKey);
    const ahead = Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, Math.floor(READ_AHEAD / Math.max(1, this.#files.length))));
    const parts = [...this.#files.map((file) => linesOf(file, ahead)), inMemory(this.#held)];
    let key: string | undefined;
    let values: string[] = [];
    let passed = 0;
    for await (const record of merge(parts)) {
      passed += record.key.length + record.value.length;
      if (passed >= COLLECTED) {
        passed = 0;
        releaseMemory();
      }
      if (record.key !== key) {
        if (key !== undefined) yield { key, values };
        ({ key } = record);
        values = [];
      }
      values.push(record.value);
    }
    if (key !== undefined) yield { key, values };
  }

  async remove(): Promise<void> {
    await this.#writing;
    for (const file of this.#files) await rm(file, { force: true });
    this.#held = [];
  }

  async #flush(): Promise<void> {
    const records = this.#held;
    this.#held = [];
    this.#size = 0;
    const file = join(this.#directory, `${this.#name}-${this.#files.length}.sorted`);
    this.#files.push(file);
    const before = this.#writing;
    this.#writing = (async () => {
      await before;
      await writeSorted(file, records);
    })();
    await this.#writing;
  }
}

/** Sorting is stable: of equal keys the order of adding stays. */
function byKey(a: SpoolRecord, b: SpoolRecord): number {
  return a.key < b.key ? -1 : Number(a.key > b.key);
}

async function writeSorted(file: string, records: SpoolRecord[]): Promise<void> {
  records.sort(byKey);
  const handle = await open(file, 'w', 0o600);
  try {
    let text = '';
    for (const { key, value } of records) {
      text += `${key}\t${value}\n`;
      if (text.length < PIECE) continue;
      await handle.writeFile(text);
      text = '';
    }
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

/** Records of a part in batches: an await for each would cost more than all the rest. */
type Part = AsyncGenerator<readonly SpoolRecord[]>;

async function* inMemory(records: readonly SpoolRecord[]): Part {
  if (records.length > 0) yield records;
}

/**
 * One buffer for each file, and a few of its records as text at a time: of all files together the text would be several times the bytes. A line that is longer than
 * the buffer makes it larger.
 */
async function* linesOf(file: string, ahead: number): Part {
  const handle = await open(file);
  try {
    let buffer = Buffer.allocUnsafeSlow(ahead);
    for (let held = 0; ;) {
      const { bytesRead } = await handle.read(buffer, held, buffer.length - held);
      if (bytesRead === 0) return;
      held += bytesRead;
      const end = buffer.lastIndexOf(LINE_END, held - 1) + 1;
      for (let start = 0; start < end;) {
        const next = buffer.indexOf(LINE_END, Math.min(end - 1, start + TEXT_BYTES)) + 1;
        yield buffer.toString('utf8', start, next - 1).split('\n').map(readRecord);
        start = next;
      }
      buffer.copyWithin(0, end, held);
      held -= end;
      if (held === buffer.length) buffer = Buffer.concat([buffer], 2 * held);
    }
  } finally {
    await handle.close();
  }
}

function readRecord(line: string): SpoolRecord {
  const at = line.indexOf('\t');
  return { key: line.slice(0, at), value: line.slice(at + 1) };
}

interface Head {
  readonly part: Part;
  /** Of its part: of equal keys those of the earlier part come first. */
  readonly order: number;
  records: readonly SpoolRecord[];
  place: number;
}

/** Heads stand sorted by their next record, so that each record costs a few comparisons, however many parts there are. */
async function* merge(parts: readonly Part[]): AsyncGenerator<SpoolRecord> {
  const heads: Head[] = [];
  try {
    for (const [order, part] of parts.entries()) {
      const head = { part, order, records: [], place: 0 };
      if (await refill(head)) insert(heads, head);
    }
    for (let first = heads.shift(); first !== undefined; first = heads.shift()) {
      const record = first.records[first.place++];
      if (record !== undefined) yield record;
      if (first.place < first.records.length || await refill(first)) insert(heads, first);
    }
  } finally {
    // Who stops early leaves files open otherwise.
    for (const part of parts) await part.return(undefined);
  }
}

function insert(heads: Head[], head: Head): void {
  let [from, to] = [0, heads.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = heads[middle];
    if (other !== undefined && isBefore(other, head)) from = middle + 1;
    else to = middle;
  }
  heads.splice(from, 0, head);
}

function isBefore(a: Head, b: Head): boolean {
  const [keyA, keyB] = [a.records[a.place]?.key ?? '', b.records[b.place]?.key ?? ''];
  return keyA === keyB ? a.order < b.order : keyA < keyB;
}

async function refill(head: Head): Promise<boolean> {
  head.place = 0;
  const next = await head.part.next();
  head.records = next.done === true ? [] : next.value;
  return head.records.length > 0;
}
