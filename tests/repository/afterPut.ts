import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';

/** Does something once, right after a put under a prefix. */
export class AfterPut extends InterceptedStorage {
  readonly #prefix: string;
  #work: (() => Promise<void>) | undefined;

  constructor(inner: Storage, prefix: string, work: () => Promise<void>) {
    super(inner);
    this.#prefix = prefix;
    this.#work = work;
  }

  protected override async around<T>({ operation, name }: StorageCall, run: () => Promise<T>): Promise<T> {
    const result = await run();
    if (operation !== 'put' || !name.startsWith(this.#prefix)) return result;
    const work = this.#work;
    this.#work = undefined;
    await work?.();
    return result;
  }
}
