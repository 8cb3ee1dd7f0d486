import type { ChangeJournal, ChangeNote } from '../../../contract.ts';

/** Makes a change after its note is durable. `outcome` tells what came of it; undefined where nobody can be sure that it was this one that made it. */
export async function journaled<T>(
  journal: ChangeJournal | undefined, note: () => ChangeNote, act: () => Promise<T>, outcome: (made: T) => Readonly<Record<string, unknown>> | undefined,
): Promise<T> {
  if (journal === undefined) return await act();
  const [number] = await journal.intend([note()]);
  const made = await act();
  const came = outcome(made);
  if (number !== undefined && came !== undefined) await journal.did(number, came);
  return made;
}
