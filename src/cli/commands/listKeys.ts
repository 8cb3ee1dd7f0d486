import { listKeys as keysOf, type KeyEpoch, type KeySlot } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

/** What `key list --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface KeysDocument {
  readonly slots: readonly KeySlot[];
  readonly epochs: readonly KeyEpoch[];
}

export async function listKeys(context: CommandContext, options: RepositoryOptions): Promise<ExitCode> {
  const { out, signal } = context;
  const { slots, epochs } = await keysOf(await openRepository(context, options), signal);
  await out.document({ slots, epochs } satisfies KeysDocument);
  for (const { slot, kind, madeAt, sound, inUse } of slots) {
    const notes = [...(inUse ? ['the one given now'] : []), ...(sound ? [] : ['DAMAGED'])];
    await out.line(`${kind.padEnd(8)}  ${slot}  ${madeAt ?? 'made with the repository'}${notes.length > 0 ? `  (${notes.join(', ')})` : ''}`);
  }
  for (const { epoch, madeAt, current, readable } of epochs) {
    const note = readable ? (current ? '  (seals what is written now)' : '') : '  (NOT READABLE with this key)';
    await out.line(`epoch ${String(epoch).padEnd(2)}  ${madeAt ?? 'made with the repository'}${note}`);
  }
  return slots.every(({ sound }) => sound) && epochs.every(({ readable }) => readable) ? EXIT.done : EXIT.warnings;
}
