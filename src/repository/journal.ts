import { timeOrderedId } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { lastSegment } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { sealJson } from './sealedObject.ts';

/**
 * Puts a record under the number after the highest that stands, `<prefix><n>-<id>`. Two writers may take the same number; then their ids, made by
 * their clocks, put them in order.
 * @returns the record's name.
 */
export async function appendRecord(
  context: RepositoryContext, prefix: string, nameOf: (n: number, id: string) => string, record: object, signal?: AbortSignal,
): Promise<string> {
  const { storage, keyring, clock, random } = context;
  let last = 0;
  for await (const object of listAll(storage, prefix, signal ? { signal } : {})) last = Math.max(last, numberOf(object.name));
  const name = nameOf(last + 1, timeOrderedId(clock.now(), random));
  await storage.put(name, sealJson(name, record, keyring.meta, random), signal ? { signal } : {});
  return name;
}

/** The number in names like 'doomed/0000000007-<id>'. */
export function numberOf(name: string): number {
  return Number.parseInt(lastSegment(name).split('-')[0] ?? '', 10) || 0;
}
