import { openUndo, Tenant } from '../../connectors/microsoft365/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import { undoRestore as takeBack, type RestoreIssue, type UndoReport } from '../../recovery/index.ts';
import type { KnownRestore } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { findRestore } from '../findRestore.ts';
import { countText, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';
import type { TenantOptions } from '../tenantOptions.ts';
import { tenantSettings } from '../tenantSettings.ts';

const SERVICE = 'exchange';

interface Options extends RepositoryOptions, TenantOptions {
  readonly restore: string;
  readonly dryRun?: boolean;
}

/** What `undo --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface UndoDocument {
  readonly restore: string;
  readonly dryRun: boolean;
  readonly undone: number;
  readonly nothing: number;
  readonly altered: number;
  readonly left: number;
  readonly failed: number;
  readonly issues: readonly RestoreIssue[];
}

export async function undoRestore(context: CommandContext, options: Options): Promise<ExitCode> {
  const { stderr, clock, signal } = context;
  const { dryRun = false } = options;
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const tenant = new Tenant(await tenantSettings(context, options));
  const repository = await openRepository(context, options, display.listener);
  const restore = await findRestore(context, repository, options.restore);
  const { service, target } = restore.begin;
  if (service !== SERVICE) throw new HoldfastError('cli/no-undo', 'input', `Restore ${restore.id} went to ${target.id}, and this version of Holdfast takes back those into Exchange Online alone.`);
  await tenant.signIn(signal);
  const mailbox = await tenant.mailbox(target.id.slice(SERVICE.length + 1), signal);
  tenant.tellWaits(mailbox.userId, display.listener);
  const session = openUndo(tenant, mailbox, restore.id);
  try {
    const report = await takeBack(repository, restore, session, { dryRun, signal, progress: display.listener });
    display.stop();
    return await tell(context, restore, dryRun, report);
  } finally {
    tenant.tellWaits(mailbox.userId, undefined);
    await session.close();
  }
}

async function tell({ out }: CommandContext, { id: restore, begin: { target }, ended }: KnownRestore, dryRun: boolean, report: UndoReport): Promise<ExitCode> {
  const { undone, nothing, altered, left, failed, issues } = report;
  await out.document({ restore, dryRun, undone, nothing, altered, left, failed, issues } satisfies UndoDocument);
  await out.line(dryRun ? `Nothing was changed. To take restore ${restore} back would give:` : `Took restore ${restore} into ${printable(target.name)} back`);
  const counts = [[undone, 'undone'], [altered, 'undone in part'], [nothing, 'with nothing to undo'], [left, 'left, because they were changed since'], [failed, 'FAILED']] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${countText(count)} ${word}`);
  await out.line(`  changes: ${told.join(', ') || 'none that is not taken back already'}`);
  if (!ended) await out.line('  That restore did not come to its end. If it still runs, it stops at its next change: take it back once more then.');
  return altered + left + failed > 0 ? EXIT.warnings : EXIT.done;
}
