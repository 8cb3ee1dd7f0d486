import { isHoldfastError } from '../../src/domain/index.ts';
import { DAMAGE, type FuzzTarget } from './fuzzTarget.ts';

/** What a parser must not do with an input; undefined: it did as it should. A sample that it refuses is a find too, when `valid`. */
export async function findWith(target: FuzzTarget, input: Buffer, valid = false): Promise<string | undefined> {
  try {
    await target.run(Buffer.from(input));
    return undefined;
  } catch (error) {
    if (!valid && isHoldfastError(error) && (target.codes ?? DAMAGE).includes(error.code)) return undefined;
    return error instanceof Error ? error.stack ?? error.message : String(error);
  }
}

/** The same find with less: pieces are taken out as long as the first line of what is told stays the same. */
export async function smaller(target: FuzzTarget, input: Buffer, find: string): Promise<Buffer> {
  const [kind] = find.split('\n');
  let best = input;
  let tries = 0;
  for (let piece = Math.ceil(best.length / 2); piece >= 1 && tries < 600; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < best.length && tries < 600; tries++) {
      const less = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]);
      if ((await findWith(target, less))?.split('\n')[0] === kind) best = less;
      else at += piece;
    }
  }
  return best;
}
