import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { lastSegment, names } from './names.ts';
import { isText, objectOf, orMissing, shaped } from './recordShape.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { timeOfId } from './roots.ts';
import { openJson, sealJson } from './sealedObject.ts';

/** Claims of programs that died count for so long. */
const CLAIM_LIFE = 7 * 86_400_000;

/** What a program says of itself while it works. */
interface Claim {
  /** `erasure`: nobody else may copy packs meanwhile, or what is erased would come back in the copy. */
  readonly work: 'prune' | 'erasure';
  /** Which erasure: a keyed hash of what is to go. Its own claim, left by a kill, does not stand in the way of a rerun. */
  readonly items?: string;
}

const isClaim = objectOf({ work: isText, items: orMissing(isText) });

interface Claimed extends Claim {
  readonly name: string;
}

export interface ClaimOptions {
  /** The caller knows that nobody else is at work: claims of programs that died are taken away. */
  readonly alone?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of claims that could not be taken away when the work was done; without it that throws. */
  readonly onUntidy?: ((error: unknown) => void) | undefined;
}

/**
 * Runs `work` beside other prunes but not beside an erasure; an erasure beside neither: PUT the own claim → LIST the claims. Of two that
 * may not meet, whoever puts second sees the other and gives way; both may. Errors: `repository/erasing`, `erase/not-alone`.
 */
export async function withClaim<T>(context: RepositoryContext, own: Claim, options: ClaimOptions, work: () => Promise<T>): Promise<T> {
  const { storage, keyring, clock, random } = context;
  const call = options.signal ? { signal: options.signal } : {};
  const name = names.claim(timeOrderedId(clock.now(), random));
  await storage.put(name, sealJson(name, own, keyring.meta, random), call);
  let onUntidy: ClaimOptions['onUntidy'];
  try {
    const stale = await othersToEnd(context, { ...own, name }, options);
    const result = await work();
    ({ onUntidy } = options);
    await tidily(async () => { for (const claim of stale) await storage.delete(claim); }, onUntidy);
    return result;
  } finally {
    await tidily(() => releaseClaim(context, name), onUntidy);
  }
}

/** What comes after work whose result must not be lost over it. */
export async function tidily(tidy: () => Promise<void>, onUntidy: ((error: unknown) => void) | undefined): Promise<void> {
  try {
    await tidy();
  } catch (error) {
    if (!onUntidy) throw error;
    onUntidy(error);
  }
}

/** @returns claims that the caller's own end makes void. Throws where the caller has to give way. */
async function othersToEnd(context: RepositoryContext, own: Claimed, { alone = false, signal }: ClaimOptions): Promise<string[]> {
  const stale: string[] = [];
  for (const other of await otherClaims(context, own.name, signal)) {
    const sameErasure = own.items !== undefined && other.items === own.items;
    if (sameErasure || (alone && own.work === 'erasure')) stale.push(other.name);
    else if (own.work === 'erasure' || other.work === 'erasure') throw givesWay(own, other);
  }
  return stale;
}

/** Those that count. Older ones are of programs that died, and are taken away. */
async function otherClaims({ storage, keyring, clock }: RepositoryContext, own: string, signal?: AbortSignal): Promise<Claimed[]> {
  const call = signal ? { signal } : {};
  const claims: Claimed[] = [];
  for await (const { name } of listAll(storage, names.claim(''), call)) {
    if (name === own) continue;
    if (clock.now() - timeOfId(lastSegment(name)) > CLAIM_LIFE) {
      await storage.delete(name, call);
      continue;
    }
    try {
      claims.push({ name, ...shaped<Claim>(name, openJson(name, await storage.get(name, call), keyring.metaOf), isClaim) });
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    }
  }
  return claims;
}

function givesWay(own: Claim, other: Claimed): HoldfastError {
  const since = new Date(timeOfId(lastSegment(other.name))).toISOString();
  if (own.work === 'prune') {
    return new HoldfastError('repository/erasing', 'retry',
      `An erasure that began at ${since} is at work, or died: run it again with the same items until it ends. Nothing was pruned.`);
  }
  return new HoldfastError('erase/not-alone', 'retry',
    `${other.work === 'prune' ? 'A prune' : 'Another erasure'} that began at ${since} is at work, or died. Nothing was changed: wait for its end and try again. `
    + `If no prune and no erasure is running, say so with --alone.`);
}

/** One that cannot be deleted only makes others wait. */
async function releaseClaim({ storage }: RepositoryContext, name: string): Promise<void> {
  try {
    await storage.delete(name);
  } catch (error) {
    if (!isHoldfastError(error) || error.retryClass !== 'retry') throw error;
  }
}
