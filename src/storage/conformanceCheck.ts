import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';
import type { Storage } from './contract.ts';

/** What a check works with besides the storage. */
export interface ConformanceHelper {
  /** The name of an object in a folder that this check alone uses. `name('')` is the prefix of them all. */
  name(rest: string): string;
  /** Random bytes. */
  bytes(length: number): Uint8Array;
  /** A second way to the same place, as another process has it; the same storage where there is none. */
  reopen(): Promise<Storage>;
  /** The object of a put that was aborted: it may still be stored after the check. */
  mayComeLate(name: string): void;
}

/** For guarantees on which pruning relies, and nothing else does. */
export const NO_PRUNE = 'Backups can be made there and restored; never prune: it would delete what a backup beside it has just stored.';

/** One guarantee of the storage contract. */
export interface ConformanceCheck {
  /** The guarantee, as a sentence without a full stop. */
  readonly name: string;
  /** What a storage without this guarantee is good for, and what not: a sentence. Unless told, it is good for nothing. */
  readonly without?: string;
  /** Rejects with `storage/nonconforming` when the storage breaks the guarantee, with other errors as they come. */
  run(storage: Storage, helper: ConformanceHelper): Promise<void>;
}

/** Throws `storage/nonconforming` with `message` unless `truth`. */
export function requireThat(truth: boolean, message: string): asserts truth {
  if (truth) return;
  throw new HoldfastError('storage/nonconforming', 'never', `This storage breaks its contract: ${message}.`);
}

/** `what` names the call in the message. */
export function requireSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  requireThat(actual.length === expected.length, `${what} gave ${actual.length} bytes instead of ${expected.length}`);
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  requireThat(false, `${what} gave a wrong byte at ${at}`);
}

/** Requires that `call` rejects with a HoldfastError of that code and class. */
export async function requireError(
  call: () => Promise<unknown>,
  code: string,
  retryClass: string,
  what: string,
): Promise<void> {
  const error = await rejectionOf(call, what);
  const told = isHoldfastError(error) ? `${error.code} (class ${error.retryClass})` : messageOf(error);
  const right = isHoldfastError(error) && error.code === code && error.retryClass === retryClass;
  requireThat(right, `${what} failed with ${told} instead of ${code} (class ${retryClass})`);
}

/** Requires that `call` rejects, and gives what it rejected with. */
export async function rejectionOf(call: () => Promise<unknown>, what: string): Promise<unknown> {
  let rejected = true;
  const error = await call().then(() => (rejected = false), (reason: unknown) => reason);
  requireThat(rejected, `${what} succeeded, though it must fail`);
  return error;
}

/** Names of all objects below a prefix, by pages of `limit`. Fails when the pages don't come to an end. */
export async function listedNames(storage: Storage, prefix: string, limit?: number): Promise<string[]> {
  const names: string[] = [];
  const options = limit === undefined ? {} : { limit };
  let page = await storage.list(prefix, options);
  for (;;) {
    names.push(...page.objects.map((object) => object.name));
    const after = page.next;
    if (after === undefined) return names;
    page = await storage.list(prefix, { ...options, after });
    const onward = page.next === undefined || page.next > after;
    requireThat(onward, `the listing of "${prefix}" goes on after "${page.next}" although it was past "${after}"`);
  }
}

/** Requires two lists of names to be equal. */
export function requireSameNames(actual: readonly string[], expected: readonly string[], what: string): void {
  const same = actual.length === expected.length && actual.every((name, i) => name === expected[i]);
  requireThat(same, `${what} gave [${shorten(actual)}] instead of [${shorten(expected)}]`);
}

function shorten(names: readonly string[]): string {
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')}, … ${names.length} in all`;
}
