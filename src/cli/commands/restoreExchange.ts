import { runBackup } from '../../backup/index.ts';
import { openSource, openTarget, Tenant, type Mailbox } from '../../connectors/microsoft365/index.ts';
import type { RestoreMode } from '../../connectors/contract.ts';
import { HoldfastError, isHoldfastError, type Entity, type Progress } from '../../domain/index.ts';
import { restoreToTarget } from '../../recovery/index.ts';
import { beginRestoreJournal, type Manifest, type Repository, type RestoreJournal } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import type { ExitCode } from '../exitCodes.ts';
import { findSnapshot } from '../findSnapshot.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { selectRows } from '../selectRows.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';
import { tellRestored } from '../tellRestored.ts';
import type { TenantOptions } from '../tenantOptions.ts';
import { tenantSettings } from '../tenantSettings.ts';

const SERVICE = 'exchange';

interface Options extends RepositoryOptions, TenantOptions {
  readonly snapshot: string;
  readonly to?: string;
  readonly mode: RestoreMode;
  readonly folder?: string;
  /** true: with the usual text. */
  readonly tag?: string | true;
  readonly suffix?: string | true;
  readonly snapshotFirst?: boolean;
  readonly path?: string;
  readonly dryRun?: boolean;
  readonly entity?: string;
}

export async function restoreExchange(context: CommandContext, options: Options): Promise<ExitCode> {
  const { stderr, clock, signal } = context;
  const { dryRun = false } = options;
  checkOptions(options);
  const started = clock.monotonic();
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const progress = display.listener;
  const tenant = new Tenant(await tenantSettings(context, options));
  const repository = await openRepository(context, options, progress);
  const manifest = await findSnapshot(context, repository, options.snapshot, options.entity);
  if (manifest.entity.service !== SERVICE) {
    throw new HoldfastError('cli/no-mailbox', 'input', `Snapshot ${manifest.id} is of ${manifest.entity.id}, which is no mailbox of Exchange Online. "holdfast restore --help" shows the other ways.`);
  }
  const { within } = await selectRows(repository, manifest, options.path, signal);
  await tenant.signIn(signal);
  const mailbox = await destination(tenant, manifest.entity, options.to, signal);
  const before = options.snapshotFirst === true && !dryRun ? await keep(context, { repository, tenant, mailbox, progress }) : undefined;
  const journal = dryRun ? undefined : await beginJournal(context, repository, { manifest, mailbox, mode: options.mode, before });
  tenant.tellWaits(mailbox.userId, progress);
  const target = openTarget(tenant, mailbox, {
    ...targetOptions(options, clock.now()), ofAnother: manifest.entity.id !== entityId(mailbox), tell: progress, ...(journal === undefined ? {} : { journal }),
  });
  try {
    const report = await restoreToTarget(repository, manifest, target, { ...(within ? { within } : {}), dryRun, signal, progress }).catch(async (error: unknown) => {
      // What the journal still has in memory is worth having, but the error is what counts.
      await journal?.end({ whole: false }).catch(() => undefined);
      throw error;
    });
    await journal?.end({ whole: true });
    display.stop();
    return await tellRestored(context, { manifest, report, dryRun, tookMs: clock.monotonic() - started, restore: journal?.id, ...(before === undefined ? {} : { before }) });
  } finally {
    tenant.tellWaits(mailbox.userId, undefined);
    await target.close();
  }
}

function entityId({ userId }: Mailbox): string {
  return `${SERVICE}:${userId}`;
}

interface Restoring {
  readonly manifest: Manifest;
  readonly mailbox: Mailbox;
  readonly mode: RestoreMode;
  /** Snapshot of the destination. */
  readonly before: string | undefined;
}

/** A repository that can only be read keeps no journal: the restore goes on, and is told to be for good. */
async function beginJournal({ signal, stderr }: CommandContext, repository: Repository, { manifest, mailbox, mode, before }: Restoring): Promise<RestoreJournal | undefined> {
  const { tag, entity: { id, name }, id: snapshot } = manifest;
  const begin = { service: SERVICE, source: { id, name, tag }, snapshot, target: { id: entityId(mailbox), name: mailbox.address }, mode, ...(before === undefined ? {} : { before }) };
  try {
    return await beginRestoreJournal(repository, begin, signal);
  } catch (error) {
    if (!isHoldfastError(error) || !['storage/read-only', 'storage/denied', 'repository/is-copy'].includes(error.code)) throw error;
    stderr.write(`warning: This repository can only be read, so the restore cannot be taken back with "holdfast undo". [${error.code}]\n`);
    return undefined;
  }
}

function checkOptions({ mode, folder, tag, suffix }: Options): void {
  if (mode !== 'separate' && folder !== undefined) throw usageError('no-folder', '--folder names the new folder of --mode separate; the other modes have none.');
  if (mode !== 'replace' && (tag !== undefined || suffix !== undefined)) throw usageError('only-replace', '--tag and --suffix tell what --mode replace has changed; the other modes change nothing that is there.');
}

function targetOptions({ mode, folder, tag, suffix }: Options, now: number): Parameters<typeof openTarget>[2] {
  // By the day: doing it again on the same day finds folder and tag, and writes nothing twice.
  const day = new Date(now).toISOString().slice(0, 10);
  return {
    mode, folderName: folder ?? `Restored ${day}`,
    ...(tag === undefined ? {} : { tag: tag === true ? `Restored ${day}` : tag }), ...(suffix === undefined ? {} : { suffix: suffix === true ? `(restored ${day})` : suffix }),
  };
}

/** The mailbox of that address, else the one that was backed up. */
async function destination(tenant: Tenant, { id, name }: Entity, to: string | undefined, signal: AbortSignal): Promise<Mailbox> {
  if (to !== undefined) return await tenant.mailbox(to, signal);
  try {
    return await tenant.mailbox(id.slice(SERVICE.length + 1), signal);
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'microsoft365/unknown-mailbox') throw error;
    throw new HoldfastError(error.code, 'input', `The tenant no longer has the mailbox of ${name}. Make the user and the mailbox again, or choose another one, and name it with --to ADDRESS.`, { cause: error });
  }
}

interface Keeping {
  readonly repository: Repository;
  readonly tenant: Tenant;
  readonly mailbox: Mailbox;
  readonly progress: Progress;
}

/** A snapshot of the destination as it is now; its id. */
async function keep({ signal, clock }: CommandContext, { repository, tenant, mailbox, progress }: Keeping): Promise<string> {
  const source = openSource(tenant, mailbox, 'both');
  try {
    return (await runBackup(repository, source, { signal, progress, clock })).id;
  } finally {
    await source.close();
  }
}
