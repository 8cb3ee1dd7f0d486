import { isHoldfastError, messageOf, type ItemRow, type Progress } from '../domain/index.ts';
import type { Catalog, IndexedVersion, PendingGroup, PendingVersion } from '../catalog/index.ts';
import type { Searchable } from '../connectors/contract.ts';
import type { ContentText, TextFormat } from '../formats/index.ts';
import type { ItemReader, Manifest, ReadResult, Repository } from '../repository/index.ts';
import { TextReaders } from './textReaders.ts';

export interface SearchIndexOptions {
  readonly search: Searchable;
  /** Threads that read the repository, and as many that read texts; 2 unless told. */
  readonly workers?: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A crash repeats no more than two such batches. */
const BATCH_ITEMS = 256;
const BATCH_BYTES = 16 * 1024 * 1024;
/** Of a larger content only so much is looked at: a mail's texts come before its attachments. */
export const MOST_CONTENT = 16 * 1024 * 1024;
/** Part of every signature: raised when words are read out of contents in another way. */
const READING = 2;
/** Fewer new documents are not worth merging the index for. */
const TIDY_FROM = 5000;
const NO_TEXT: ContentText = { authors: '', recipients: '', text: '', files: '' };

/**
 * Makes all versions of the catalog's snapshots searchable that are not yet: what stands today first, in the order in which it was stored, so that
 * frames of the repository are read once. A version whose words are known (a mail with new flags) is not read. Can be ended at any time and goes on from
 * there; another process on this machine that does the same is waited for.
 */
export async function buildSearchIndex(
  repository: Repository, snapshots: readonly Manifest[], catalog: Catalog, options: SearchIndexOptions,
): Promise<void> {
  const { signal, progress } = options;
  if ((await catalog.search.status(signal)).pending === 0) return;
  const waiting = (): void => progress({ type: 'waiting', for: 'another process that makes a search index' });
  await catalog.search.exclusively(async () => {
    const build = new IndexBuild(repository, catalog, options);
    try {
      await build.run(snapshots);
    } finally {
      await build.close();
    }
  }, { waiting, signal });
}

/** A version and what tells its document from others. */
interface Signed extends PendingVersion {
  readonly signature: string;
}

class IndexBuild {
  readonly #repository: Repository;
  readonly #catalog: Catalog;
  readonly #options: SearchIndexOptions;
  readonly #texts: TextReaders;
  #items = 0;
  #bytes = 0;
  #total = 0;
  #indexed = 0;

  constructor(repository: Repository, catalog: Catalog, options: SearchIndexOptions) {
    const { workers = 2, signal } = options;
    this.#repository = repository;
    this.#catalog = catalog;
    this.#options = options;
    this.#texts = new TextReaders({ workers, signal });
  }

  async run(snapshots: readonly Manifest[]): Promise<void> {
    const { search } = this.#catalog;
    const { signal } = this.#options;
    this.#total = (await search.status(signal)).pending;
    const byId = new Map(snapshots.map((manifest) => [manifest.id, manifest]));
    for (let group = await search.pendingGroup(undefined, signal); group; group = await search.pendingGroup(group.last, signal)) {
      const manifest = byId.get(group.snapshot);
      if (manifest) await this.#group(group, manifest);
    }
    if (this.#indexed >= TIDY_FROM) await search.tidy(signal);
  }

  close(): Promise<void> {
    return this.#texts.close();
  }

  /** The repository is opened only where there is something to read. */
  async #group(group: PendingGroup, manifest: Manifest): Promise<void> {
    const batches = this.#unread(group);
    const first = await batches.next();
    if (first.done) return;
    const { workers, signal } = this.#options;
    try {
      await this.#repository.reading(manifest, { purpose: 'search', workers, signal }, async (reader) => {
        let indexing: Promise<void> = Promise.resolve();
        for (let batch: IteratorResult<Signed[], undefined> = first; !batch.done; batch = await batches.next()) {
          const documents = this.#documents(reader, await this.#contents(reader, batch.value));
          // A failure shows when the batch before is waited for.
          documents.catch(() => undefined);
          await indexing;
          indexing = documents.then((found) => this.#index(found));
          indexing.catch(() => undefined);
        }
        await indexing;
      });
    } catch (error) {
      // Pruned meanwhile: its versions leave the catalog when it is next brought up to date.
      if (!isHoldfastError(error) || error.code !== 'repository/no-snapshot') throw error;
    }
  }

  /** Batches of versions of a group that no known document covers. */
  async* #unread(group: PendingGroup): AsyncGenerator<Signed[], undefined> {
    const { search } = this.#catalog;
    const { signal } = this.#options;
    for (let after = 0; ;) {
      const found = await search.pending(group, after, BATCH_ITEMS, signal);
      const batch = this.#cut(found).map((version) => ({ ...version, signature: this.#signature(version.row) }));
      const last = batch.at(-1);
      if (!last) return;
      after = last.version;
      const unread = new Set(await search.link(batch.map(({ version, signature }) => ({ version, signature })), signal));
      const rest = batch.filter(({ version }) => unread.has(version));
      this.#items += batch.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  }

  #cut(found: readonly PendingVersion[]): readonly PendingVersion[] {
    let bytes = 0;
    const end = found.findIndex(({ row }) => (bytes += this.#toRead(row)) >= BATCH_BYTES);
    return end < 0 ? found : found.slice(0, end + 1);
  }

  #toRead(row: ItemRow): number {
    return this.#formatOf(row) === undefined ? 0 : Math.min(row.size, MOST_CONTENT);
  }

  #formatOf(row: ItemRow): TextFormat | undefined {
    return row.content === '' ? undefined : this.#options.search.format(row);
  }

  #signature(row: ItemRow): string {
    const { author, recipients } = this.#options.search.fields(row);
    return JSON.stringify([READING, row.name, row.parent, row.modified, row.content, author, recipients]);
  }

  /** Waits until the reader takes the batch. */
  async #contents(reader: ItemReader, batch: readonly Signed[]): Promise<{ batch: readonly Signed[]; results: Promise<readonly ReadResult[]> }> {
    const requests = batch.filter(({ row }) => this.#isSmall(row)).map(({ row }) => ({ row }));
    return { batch, results: (await reader.read(requests)).results };
  }

  #isSmall(row: ItemRow): boolean {
    return this.#formatOf(row) !== undefined && row.size <= MOST_CONTENT;
  }

  async #documents(
    reader: ItemReader, { batch, results }: { batch: readonly Signed[]; results: Promise<readonly ReadResult[]> },
  ): Promise<IndexedVersion[]> {
    const given = (await results).values();
    // All texts of a batch are read at once, as far as there are threads; contents that come one by one are not.
    const documents: Promise<IndexedVersion>[] = [];
    for (const version of batch) {
      const format = this.#formatOf(version.row);
      const result = this.#isSmall(version.row) ? given.next().value : undefined;
      if (format === undefined) documents.push(Promise.resolve(this.#document(version, NO_TEXT)));
      else if (result && 'bytes' in result) documents.push(this.#read(version, format, result.bytes));
      else documents.push(Promise.resolve(await this.#readAlone(reader, version, format)));
      documents.at(-1)?.catch(() => undefined);
    }
    return Promise.all(documents);
  }

  /** One that is large, or did not come with the others: a pack that a prune moved, or damage. */
  async #readAlone(reader: ItemReader, version: Signed, format: TextFormat): Promise<IndexedVersion> {
    const content = new Uint8Array(Math.min(version.row.size, MOST_CONTENT));
    let length = 0;
    try {
      for await (const part of reader.content(version.row)) {
        const fitting = part.subarray(0, content.length - length);
        content.set(fitting, length);
        length += fitting.length;
        if (length >= content.length) break;
      }
    } catch (error) {
      if (!isHoldfastError(error) || error.retryClass !== 'never') throw error;
      return this.#failed(version, error.code, messageOf(error));
    }
    return this.#read(version, format, content.subarray(0, length));
  }

  async #read(version: Signed, format: TextFormat, content: Uint8Array<ArrayBuffer>): Promise<IndexedVersion> {
    this.#bytes += content.length;
    const result = await this.#texts.read(format, content, { cut: content.length < version.row.size });
    return 'text' in result ? this.#document(version, result.text) : this.#failed(version, result.code, result.message);
  }

  #failed(version: Signed, code: string, message: string): IndexedVersion {
    this.#options.progress({ type: 'warning', item: version.row.name, code, message: `Its text is not indexed: ${message}` });
    return { ...this.#document(version, NO_TEXT), failure: code };
  }

  #document({ version, row, signature }: Signed, text: ContentText): IndexedVersion {
    const { author, recipients } = this.#options.search.fields(row);
    return {
      version, signature, date: row.modified, name: row.name, authors: joined(author, text.authors),
      // The row has the first recipients, the content has all.
      recipients: text.recipients === '' ? recipients : text.recipients, text: text.text, files: text.files,
    };
  }

  async #index(documents: readonly IndexedVersion[]): Promise<void> {
    const { signal, progress } = this.#options;
    await this.#catalog.search.index(documents, signal);
    this.#indexed += documents.length;
    this.#items += documents.length;
    progress({ type: 'progress', stage: 'index', items: this.#items, bytes: this.#bytes, totalItems: Math.max(this.#total, this.#items) });
  }
}

function joined(row: string, content: string): string {
  return row === '' || content.includes(row) ? content : `${row}\n${content}`;
}
