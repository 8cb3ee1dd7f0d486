import { isHoldfastError, type ItemRow, type Progress } from '../domain/index.ts';
import type { ObjectSink, ObjectWriter } from '../storage/objectSink.ts';
import type { ExportPart, ExportReport, LeftOut } from './exportReport.ts';
import { outcomeText } from './issueLog.ts';

/** The file that tells what an export holds; it gets its name last, so that its presence says that all is there. */
export const MANIFEST = 'manifest.jsonl';

/** Parts and issues that a report names itself; the manifest has all. */
const NAMED = 1000;

/** Where an item went. `entry`: its name in a ZIP. `offset`: where its line begins in an MBOX. */
export interface ItemPlace {
  readonly file: string;
  readonly entry?: string;
  readonly offset?: number;
  readonly size: number;
  readonly sha256: string;
}

/** Writes the manifest, line by line as things happen, and counts for the report; see docs/guides/export.md. */
export class ExportLog {
  readonly report: ExportReport = { items: 0, missing: 0, leftOut: [], folders: 0, bytes: 0, files: 0, fileBytes: 0, parts: [], issues: [] };
  readonly #writer: ObjectWriter;
  readonly #shown: (row: ItemRow) => string;
  readonly #progress: Progress;
  readonly #totals: { readonly totalItems?: number; readonly totalBytes?: number };

  private constructor(writer: ObjectWriter, options: ExportLogOptions) {
    this.#writer = writer;
    this.#shown = options.shown;
    this.#progress = options.progress;
    this.#totals = options.totals;
  }

  /** Fails where another export has begun one. */
  static async begin(sink: ObjectSink, options: ExportLogOptions): Promise<ExportLog> {
    const log = new ExportLog(await sink.open(MANIFEST, { signal: options.signal }), options);
    await log.#line({ type: 'export', version: 1, ...options.head });
    return log;
  }

  async written(row: ItemRow, place: ItemPlace): Promise<void> {
    await this.#line({ type: 'item', id: idOf(row), path: this.#shown(row), ...place });
    this.report.items++;
    this.report.bytes += place.size;
    if (row.outcome !== '') await this.#issue('altered', row, 'export/altered', outcomeText(row));
  }

  /** `reason`: an error of class `never`, else it is thrown: it concerns more than this item. */
  async failed(row: ItemRow, reason: unknown): Promise<void> {
    if (!isHoldfastError(reason) || reason.retryClass !== 'never') throw reason;
    await this.missing(row, reason.code, reason.message);
  }

  async missing(row: ItemRow, code: string, message: string): Promise<void> {
    this.report.missing++;
    await this.#issue('missing', row, code, message);
  }

  /** Each is in the manifest; told is how many there are of each kind, at the end. */
  async leftOut(row: ItemRow, what: Omit<LeftOut, 'items'>): Promise<void> {
    const { leftOut } = this.report;
    let found = leftOut.find(({ code, kind }) => code === what.code && kind === what.kind);
    if (found === undefined) leftOut.push(found = { ...what, items: 0 });
    found.items++;
    await this.#line({ type: 'leftOut', id: idOf(row), path: this.#shown(row), code: what.code, message: what.message });
  }

  async noContent(row: ItemRow): Promise<void> {
    await this.missing(row, 'export/no-content', row.outcome === '' ? 'The snapshot holds no content for it.' : outcomeText(row));
  }

  async part(part: ExportPart): Promise<void> {
    await this.#line({ type: 'part', ...part });
    this.#file(part.size);
    if (this.report.parts.length < NAMED) this.report.parts.push(part);
  }

  /** A file that is one item. */
  async single(row: ItemRow, place: ItemPlace): Promise<void> {
    await this.written(row, place);
    this.#file(place.size);
  }

  tell(): void {
    const { items, missing, bytes } = this.report;
    this.#progress({ type: 'progress', stage: 'export', items: items + missing + this.#leftOutItems, bytes, ...this.#totals });
  }

  /** After everything else. */
  async finish(): Promise<void> {
    const { items, missing, folders, bytes, files, fileBytes } = this.report;
    for (const { code, kind, items: count, message } of this.report.leftOut) this.#progress({ type: 'warning', item: `${count} × ${kind}`, code, message });
    await this.#line({ type: 'end', items, missing, leftOut: this.#leftOutItems, folders, bytes, files, fileBytes });
    await this.#writer.finish();
  }

  get #leftOutItems(): number {
    return this.report.leftOut.reduce((sum, { items }) => sum + items, 0);
  }

  abandon(): Promise<void> {
    return this.#writer.abandon();
  }

  #file(size: number): void {
    this.report.files++;
    this.report.fileBytes += size;
  }

  async #issue(type: 'missing' | 'altered', row: ItemRow, code: string, message: string): Promise<void> {
    const item = this.#shown(row);
    await this.#line({ type, id: idOf(row), path: item, code, message });
    if (this.report.issues.length < NAMED) this.report.issues.push({ item, code, message });
    this.#progress({ type: 'warning', item, code, message });
  }

  #line(value: object): Promise<void> {
    return this.#writer.write(Buffer.from(`${JSON.stringify(value)}\n`));
  }
}

export interface ExportLogOptions {
  /** What the first line says. */
  readonly head: object;
  readonly shown: (row: ItemRow) => string;
  readonly totals: { readonly totalItems?: number; readonly totalBytes?: number };
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

function idOf({ key }: ItemRow): string {
  return Buffer.from(key, 'latin1').toString('base64url');
}
