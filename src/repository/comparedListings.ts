import { listAll, type ObjectInfo, type Storage } from '../storage/index.ts';

/** What two storages have under one name; at least one of them has it. */
export interface Compared {
  readonly name: string;
  readonly source: ObjectInfo | undefined;
  readonly target: ObjectInfo | undefined;
}

/** Goes through the names of both storages under a prefix in ascending order. Memory: one page of each. */
export async function* comparedListings(
  source: Storage, target: Storage, prefix: string, signal?: AbortSignal,
): AsyncGenerator<Compared, void, undefined> {
  const options = signal ? { signal } : {};
  const sources = listAll(source, prefix, options);
  const targets = listAll(target, prefix, options);
  let from = nextOf(await sources.next());
  let to = nextOf(await targets.next());
  for (;;) {
    const first = [from?.name, to?.name].filter((one) => one !== undefined).toSorted()[0];
    if (first === undefined) return;
    const found = { name: first, source: from?.name === first ? from : undefined, target: to?.name === first ? to : undefined };
    yield found;
    if (found.source) from = nextOf(await sources.next());
    if (found.target) to = nextOf(await targets.next());
  }
}

function nextOf(result: IteratorResult<ObjectInfo, void>): ObjectInfo | undefined {
  return result.done ? undefined : result.value;
}
