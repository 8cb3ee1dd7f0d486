import type { ObjectInfo, Storage } from './contract.ts';

/** Every object whose name starts with `prefix`, in ascending byte order, one page in memory at a time. */
export async function* listAll(
  storage: Storage,
  prefix: string,
  options: { after?: string; limit?: number; signal?: AbortSignal } = {},
): AsyncGenerator<ObjectInfo, void, undefined> {
  let after = options.after;
  do {
    const page = await storage.list(prefix, after === undefined ? options : { ...options, after });
    yield* page.objects;
    after = page.next;
  } while (after !== undefined);
}
