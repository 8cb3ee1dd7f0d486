import { sleep, timeOrderedId } from '../runtime/index.ts';
import type { Clock, RandomBytes } from '../runtime/index.ts';
import { byteChecks } from './conformanceBytes.ts';
import type { ConformanceCheck } from './conformanceCheck.ts';
import { listingChecks } from './conformanceListing.ts';
import { safetyChecks } from './conformanceSafety.ts';
import type { Storage } from './contract.ts';
import { listAll } from './listAll.ts';
import { isObjectName } from './objectName.ts';

/** A service may store what it was sent whole though the caller hung up: on a busy machine half a second after it. */
const LATE_MS = 5000;

/** Every guarantee of the storage contract, each tried on its own. */
export const conformanceChecks: readonly ConformanceCheck[] = [...byteChecks, ...listingChecks, ...safetyChecks];

export interface ConformanceOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Opens the same place once more. Default: the storage itself, which then stands for the other process too. */
  readonly reopen?: () => Promise<Storage>;
  readonly checks?: readonly ConformanceCheck[];
  /** Looked at between checks. */
  readonly signal?: AbortSignal;
  /** How long, in ms, a put that was aborted may go on behind the caller's back. Default: 5000. */
  readonly lateMs?: number;
}

/** `error`: what the check rejected with; undefined when the storage kept the guarantee. */
export interface ConformanceResult {
  readonly name: string;
  readonly error: unknown;
  /** As of the check, where it failed. */
  readonly without?: string;
}

/**
 * Tries a storage, and gives the result of each check as it comes. Works below the new prefix `storage-test-…/` only,
 * and deletes what it put there; rejects when that fails.
 */
export async function* checkConformance(
  storage: Storage,
  options: ConformanceOptions,
): AsyncGenerator<ConformanceResult, void, undefined> {
  const { clock, random, reopen = async () => storage, checks = conformanceChecks, signal, lateMs = LATE_MS } = options;
  const late = new Set<string>();
  for (const check of checks) {
    signal?.throwIfAborted();
    const prefix = `storage-test-${timeOrderedId(clock.now(), random)}/`;
    // A copy, because slices of a Buffer are views where those of a Uint8Array are copies.
    const bytes = (length: number): Uint8Array => new Uint8Array(random(length));
    const named = new Set<string>();
    const name = (rest: string): string => {
      if (isObjectName(prefix + rest)) named.add(prefix + rest);
      return prefix + rest;
    };
    const helper = { name, bytes, reopen, mayComeLate: (object: string) => void late.add(object) };
    const error = await check.run(storage, helper).then(() => undefined, (failure: unknown) => failure);
    for await (const object of listAll(storage, prefix)) await storage.delete(object.name);
    // Whoever lists what was some time ago leaves out what is there.
    for (const put of error === undefined ? [] : named) {
      await storage.delete(put);
      late.add(put);
    }
    yield { name: check.name, error, ...(error !== undefined && check.without !== undefined && { without: check.without }) };
  }
  if (late.size === 0) return;
  // A put that was aborted, or went on when its check had failed, may have come after all was taken away.
  await sleep(lateMs, signal);
  for (const put of late) await storage.delete(put);
}
