import { timeOrderedId } from '../runtime/index.ts';
import type { Clock, RandomBytes } from '../runtime/index.ts';
import { byteChecks } from './conformanceBytes.ts';
import type { ConformanceCheck } from './conformanceCheck.ts';
import { listingChecks } from './conformanceListing.ts';
import { safetyChecks } from './conformanceSafety.ts';
import type { Storage } from './contract.ts';
import { listAll } from './listAll.ts';

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
}

/** `error`: what the check rejected with; undefined when the storage kept the guarantee. */
export interface ConformanceResult {
  readonly name: string;
  readonly error: unknown;
}

/**
 * Tries a storage, and gives the result of each check as it comes. Works below the new prefix `storage-test-…/` only,
 * and deletes what it put there; rejects when that fails.
 */
export async function* checkConformance(
  storage: Storage,
  options: ConformanceOptions,
): AsyncGenerator<ConformanceResult, void, undefined> {
  const { clock, random, reopen = async () => storage, checks = conformanceChecks, signal } = options;
  for (const check of checks) {
    signal?.throwIfAborted();
    const prefix = `storage-test-${timeOrderedId(clock.now(), random)}/`;
    // A copy, because slices of a Buffer are views where those of a Uint8Array are copies.
    const bytes = (length: number): Uint8Array => new Uint8Array(random(length));
    const helper = { name: (rest: string) => prefix + rest, bytes, reopen };
    let error: unknown;
    try {
      await check.run(storage, helper);
    } catch (failure) {
      error = failure;
    }
    for await (const { name } of listAll(storage, prefix)) await storage.delete(name);
    yield { name: check.name, error };
  }
}
