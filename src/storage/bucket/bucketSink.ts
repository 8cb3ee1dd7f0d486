import { HoldfastError } from '../../domain/index.ts';
import { retry, systemRandom } from '../../runtime/index.ts';
import type { ObjectSink, ObjectWriter } from '../objectSink.ts';
import { MOST_PARTS, partBytes, type ExportBucket, type PartUpload } from './exportBucket.ts';

/** Of each call, with waits of up to half a minute in all: a long export outlasts a short failure. */
const ATTEMPTS = 8;
/** Objects deleted at once. */
const LANES = 8;
/** What is written goes on for so long when everything is to be taken away. */
const DISCARD_MS = 600_000;
/** An object is given up once, and again when all is taken away. */
const ABANDON_MS = 10_000;

type Patient = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
const patiently: Patient = (signal, work) => retry(work, { random: systemRandom, attempts: ATTEMPTS, signal });

/**
 * A bucket, or a prefix in one, to export to. An object goes up in parts of some MiB, of which each writer holds one, and gets its name when the
 * service has put them together. Two exports into one place at the same time are not told apart: each may write over the other's objects.
 */
export class BucketSink implements ObjectSink {
  readonly location: string;
  readonly #bucket: ExportBucket;
  readonly #patiently: Patient;
  /** Uploads that were begun and did not end. */
  readonly #unfinished = new Set<PartUpload>();
  /** First parts of the names of all that was made: what {@link discard} takes away. */
  readonly #tops = new Set<string>();

  constructor(bucket: ExportBucket, patient: Patient = patiently) {
    this.location = bucket.location;
    this.#bucket = bucket;
    this.#patiently = patient;
  }

  async claim({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    for (let page: string | undefined; ;) {
      const listed: Listed = await this.#patiently(signal, () => this.#bucket.keys(this.#bucket.prefix, page, signal));
      // Some consoles put an empty object in the place of a folder.
      if (listed.keys.some((key) => key !== this.#bucket.prefix)) throw notEmpty(this.location);
      page = listed.page;
      if (page === undefined) return;
    }
  }

  folder(): Promise<void> {
    return Promise.resolve();
  }

  open(name: string, { signal }: { readonly signal: AbortSignal }): Promise<ObjectWriter> {
    signal.throwIfAborted();
    this.#tops.add(name.split('/')[0] ?? name);
    return Promise.resolve(new BucketWriter(this.#bucket, this.#bucket.prefix + name, { patiently: this.#patiently, signal, unfinished: this.#unfinished }));
  }

  settle(): Promise<void> {
    // What the service has acknowledged stands.
    return Promise.resolve();
  }

  /** Uploads first, so that none of them becomes an object later. What fails stops nothing else, and is thrown at the end. */
  async discard(): Promise<void> {
    const signal = AbortSignal.timeout(DISCARD_MS);
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<void>): Promise<void> => { await work().catch((error: unknown) => failures.push(error)); };
    for (const upload of this.#unfinished) {
      await attempt(async () => {
        await this.#patiently(signal, () => upload.abandon(signal));
        this.#unfinished.delete(upload);
      });
    }
    for (const top of this.#tops) {
      await attempt(() => this.#giveUp(this.#bucket.prefix + top, signal));
      await attempt(() => this.#remove(this.#bucket.prefix + top, signal));
    }
    if (failures.length > 0) throw failures[0];
    this.#tops.clear();
  }

  /** Uploads of which this sink does not know, as the reply that would have named them was lost. */
  async #giveUp(first: string, signal: AbortSignal): Promise<void> {
    const { unfinished } = this.#bucket;
    if (!unfinished) return;
    for (let page: string | undefined; ;) {
      const listed: Awaited<ReturnType<typeof unfinished>> = await this.#patiently(signal, () => unfinished(first, page, signal));
      for (const upload of listed.uploads.filter(({ key }) => isUnder(key, first))) await this.#patiently(signal, () => upload.abandon(signal));
      page = listed.page;
      if (page === undefined) return;
    }
  }

  async #remove(first: string, signal: AbortSignal): Promise<void> {
    for (let page: string | undefined; ;) {
      const listed: Listed = await this.#patiently(signal, () => this.#bucket.keys(first, page, signal));
      const own = listed.keys.filter((key) => isUnder(key, first));
      for (let at = 0; at < own.length; at += LANES) {
        await Promise.all(own.slice(at, at + LANES).map((key) => this.#patiently(signal, () => this.#bucket.remove(key, signal))));
      }
      page = listed.page;
      if (page === undefined) return;
    }
  }
}

type Listed = Awaited<ReturnType<ExportBucket['keys']>>;

function isUnder(key: string, first: string): boolean {
  return key === first || key.startsWith(`${first}/`);
}

class BucketWriter implements ObjectWriter {
  readonly #bucket: ExportBucket;
  readonly #key: string;
  readonly #patiently: Patient;
  readonly #signal: AbortSignal;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  /** Bytes and parts that are there already. */
  #sent = 0;
  #parts = 0;
  #upload: PartUpload | undefined;
  readonly #unfinished: Set<PartUpload>;
  #ended = false;

  constructor(bucket: ExportBucket, key: string, { patiently: patient, signal, unfinished }: { patiently: Patient; signal: AbortSignal; unfinished: Set<PartUpload> }) {
    this.#bucket = bucket;
    this.#key = key;
    this.#patiently = patient;
    this.#signal = signal;
    this.#unfinished = unfinished;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    // What is exactly a part may be the last one.
    while (this.#bytes > partBytes(this.#parts)) await this.#send(this.#take(partBytes(this.#parts)));
  }

  async finish(): Promise<void> {
    this.#signal.throwIfAborted();
    const last = this.#take(this.#bytes);
    const upload = this.#upload;
    await this.#patiently(this.#signal, () => (upload
      ? upload.finish(this.#parts, last, this.#sent, this.#signal)
      : this.#bucket.put(this.#key, last, this.#signal)));
    this.#ended = true;
    if (upload) this.#unfinished.delete(upload);
  }

  /** Does not fail: an upload that cannot be given up now is by {@link BucketSink.discard}, which tells what stays. */
  async abandon(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    const upload = this.#upload;
    await upload?.abandon(AbortSignal.timeout(ABANDON_MS)).then(() => this.#unfinished.delete(upload), () => undefined);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    if (this.#parts >= MOST_PARTS - 1) throw tooLarge(this.#key, this.#sent);
    this.#upload ??= await this.#patiently(this.#signal, () => this.#bucket.begin(this.#key, this.#signal));
    const upload = this.#upload;
    this.#unfinished.add(upload);
    await this.#patiently(this.#signal, () => upload.part(this.#parts, bytes, this.#sent, this.#signal));
    this.#parts++;
    this.#sent += bytes.length;
  }

  /** The first so many of the waiting bytes, in one piece. */
  #take(length: number): Uint8Array {
    const taken: Uint8Array[] = [];
    let left = length;
    while (left > 0) {
      const [first] = this.#waiting;
      if (!first) break;
      taken.push(first.subarray(0, left));
      if (first.length > left) this.#waiting[0] = first.subarray(left);
      else this.#waiting.shift();
      left -= Math.min(left, first.length);
    }
    this.#bytes -= length;
    const [only] = taken;
    return taken.length === 1 && only ? only : Buffer.concat(taken);
  }
}

function notEmpty(location: string): HoldfastError {
  return new HoldfastError('export/not-empty', 'input',
    `There are objects at ${location} already. Choose an empty place: an export is never mixed with anything else. If an export that did not finish lies there, delete it first.`,
    { data: { location } });
}

function tooLarge(key: string, bytes: number): HoldfastError {
  return new HoldfastError('storage/too-large', 'input',
    `"${key}" is larger than ${Math.floor(bytes / 2 ** 30)} GiB, which a bucket takes. Give a smaller --part-size, or export to a folder.`, { data: { bytes } });
}
