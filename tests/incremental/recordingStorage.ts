import { InterceptedStorage, type StorageCall } from '../../src/storage/index.ts';

/** Notes what is put, read and listed, by the first part of the names: 'packs', 'index', 'segments', 'seals' … */
export class RecordingStorage extends InterceptedStorage {
  readonly #puts: { readonly kind: string; readonly bytes: number }[] = [];
  #gotten = new Map<string, number>();

  /** Kinds of the objects put since the last {@link reset}, in the order of the puts. */
  get putKinds(): string[] {
    return this.#puts.map(({ kind }) => kind);
  }

  /** Bytes put since the last {@link reset}, of one kind or of all. */
  putBytes(kind?: string): number {
    return this.#puts.filter((put) => kind === undefined || put.kind === kind).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Gets since the last {@link reset} of one kind. */
  gets(kind: string): number {
    return this.#gotten.get(kind) ?? 0;
  }

  reset(): void {
    this.#puts.length = 0;
    this.#gotten = new Map();
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const kind = call.name.split('/')[0] ?? '';
    const result = await run();
    if (call.operation === 'put') this.#puts.push({ kind, bytes: call.bytes });
    if (call.operation === 'get') this.#gotten.set(kind, this.gets(kind) + 1);
    return result;
  }
}
