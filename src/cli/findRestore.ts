import { HoldfastError } from '../domain/index.ts';
import { listRestores, type KnownRestore, type Repository } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';

const MOST_LISTED = 20;

/** Restores with a journal, oldest first; a warning names each that cannot be read. */
export async function restoresOf({ stderr, signal }: CommandContext, repository: Repository): Promise<{ readonly restores: readonly KnownRestore[]; readonly damaged: number }> {
  let damaged = 0;
  const restores = await listRestores(repository, signal, ({ message, code }) => {
    damaged++;
    stderr.write(`warning: ${printable(message)} [${code}]\n`);
  });
  return { restores, damaged };
}

/** The restore that a person means: its id, a unique beginning of it, or 'latest'. Several: `usage/ambiguous-restore`; none: `cli/no-restore`. */
export async function findRestore(context: CommandContext, repository: Repository, text: string): Promise<KnownRestore> {
  const { restores } = await restoresOf(context, repository);
  const found = text === 'latest' ? restores.slice(-1) : restores.filter(({ id }) => /^[0-9a-f]{1,32}$/i.test(text) && id.startsWith(text.toLowerCase()));
  const [only, ...more] = found;
  if (more.length > 0) {
    const lines = found.slice(0, MOST_LISTED).map(({ id, begin }) => `  ${id}  ${printable(begin.target.name)}`).join('\n');
    throw usageError('ambiguous-restore', `Several restores begin with "${text}"; give more of the id:\n${lines}`);
  }
  if (only) return only;
  throw new HoldfastError('cli/no-restore', 'input', `There is no restore "${text}" that can be taken back. "holdfast restores" lists those that there are.`, { data: { restore: text } });
}
