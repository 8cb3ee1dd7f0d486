import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import { CONFIG, lastSegment, names } from './names.ts';
import { timeOfId } from './roots.ts';

/** A claim that is this old is one of a program that died; a live one gives up long before. */
const CLAIM_LIFE_MS = 2 * 60_000;
const WORK_MS = CLAIM_LIFE_MS / 2;

/**
 * Runs `write`, which makes a repository, while no other program makes one there: puts a claim, then lists claims and looks
 * for a config; whoever sees either gives way. Of two at once the later put is seen by its author's listing and maybe by both;
 * so at most one goes on. `write` calls `stillMine` before each of its puts.
 * Errors: `repository/exists`.
 */
export async function withInitClaim(
  storage: Storage, clock: Clock, random: RandomBytes, write: (stillMine: () => void) => Promise<void>,
): Promise<void> {
  await refuseExisting(storage);
  const started = clock.monotonic();
  const now = clock.now();
  const claim = names.init(timeOrderedId(now, random));
  await storage.put(claim, [Buffer.from('{}\n')]);
  try {
    for await (const { name } of listAll(storage, names.init(''))) {
      if (name === claim) continue;
      if (now - timeOfId(lastSegment(name)) < CLAIM_LIFE_MS) throw underWay(storage, name);
      await storage.delete(name);
    }
    await refuseExisting(storage);
    await write(() => {
      if (clock.monotonic() - started > WORK_MS) throw tooSlow(storage);
    });
  } finally {
    await withdraw(storage, claim);
  }
}

/** A claim that cannot be deleted means nothing once there is a config, and little after two minutes. */
async function withdraw(storage: Storage, claim: string): Promise<void> {
  try {
    await storage.delete(claim);
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
  }
}

async function refuseExisting(storage: Storage): Promise<void> {
  if (!(await storage.stat(CONFIG))) return;
  throw new HoldfastError('repository/exists', 'input',
    `There is a repository at ${storage.location} already. Use it, or choose another place.`);
}

function underWay(storage: Storage, claim: string): HoldfastError {
  return new HoldfastError('repository/exists', 'input',
    `Another program is making a repository at ${storage.location} right now. Use that one; if it was stopped, try again in `
    + `${CLAIM_LIFE_MS / 60_000} minutes or delete the object ${claim}.`, { data: { object: claim } });
}

function tooSlow(storage: Storage): HoldfastError {
  return new HoldfastError('repository/init-too-slow', 'retry',
    `Making the repository at ${storage.location} took so long that another program may have started to. Try again.`);
}
