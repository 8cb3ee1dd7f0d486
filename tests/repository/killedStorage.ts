import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';

/** Never answers a put of the kind: what calls it is killed there. */
export class KilledStorage extends InterceptedStorage {
  readonly reached: Promise<void>;
  readonly #kind: string;
  #reach: () => void = () => {};

  constructor(inner: Storage, kind: string) {
    super(inner);
    this.#kind = kind;
    this.reached = new Promise((resolve) => { this.#reach = resolve; });
  }

  protected override async around<T>({ operation, name }: StorageCall, run: () => Promise<T>): Promise<T> {
    if (operation !== 'put' || !name.startsWith(this.#kind)) return run();
    this.#reach();
    return new Promise(() => {});
  }
}
