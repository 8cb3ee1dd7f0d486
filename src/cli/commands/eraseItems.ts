import { resolve } from 'node:path';
import { isHoldfastError, messageOf } from '../../domain/index.ts';
import { forgetCatalog } from '../../recovery/index.ts';
import {
  certificateOf, erase, hasBegunErasing, previewErasure, type CertificateNames, type EntityRecord, type ErasureCertificate, type Repository, type Selection,
} from '../../repository/index.ts';
import { CertificateFile } from '../certificateFile.ts';
import type { CommandContext } from '../commandContext.ts';
import { confirmName } from '../confirmName.ts';
import { chooseItems, type SelectionOptions } from '../eraseSelection.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { findEntity } from '../findEntity.ts';
import { plural, printable } from '../formatText.ts';
import { ItemsFile, itemIds } from '../itemsFile.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions, SelectionOptions {
  readonly entity: string;
  readonly names: CertificateNames;
  readonly certificate?: string;
  readonly dryRun?: boolean;
  readonly alone?: boolean;
  readonly yes?: boolean;
}

/** What is to be erased, and where that is told. */
interface Chosen {
  readonly repository: Repository;
  readonly record: EntityRecord;
  readonly selection: Selection;
  readonly file: CertificateFile;
}

/** Names that a dry run prints for people; --json has all. */
const MOST_SHOWN = 50;

export async function eraseItems(context: CommandContext, options: Options): Promise<ExitCode> {
  const { stderr, clock, signal } = context;
  const name = options.certificate ?? `holdfast-erasure-${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')}.json`;
  using file = options.dryRun === true ? undefined : new CertificateFile(resolve(name));
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const repository = await openRepository(context, options, display.listener);
  const record = await findEntity(repository, options.entity, signal);
  const { selection, whole } = await chooseItems(context, repository, record, options, display.listener);
  display.stop();
  if (!file) {
    await preview(context, repository, record, selection);
    return whole ? EXIT.done : EXIT.warnings;
  }
  const what = (): Promise<string> => willErase(repository, record, selection, signal);
  await confirmName(context, what, record.entity.name, options.yes === true);
  const certain = await eraseChosen(context, options, { repository, record, selection, file });
  return certain && whole ? EXIT.done : EXIT.warnings;
}

/** @returns whether nothing is left to be done or looked at. */
async function eraseChosen(
  context: CommandContext, options: Options, { repository, record, selection, file }: Chosen,
): Promise<boolean> {
  const { stderr, clock, signal } = context;
  const list = options.item === undefined && options.itemsFile === undefined ? new ItemsFile(`${file.path}.items`, selection.keys) : undefined;
  if (list) stderr.write(`If it is interrupted, this finishes it: --items-file ${printable(list.path)}\n`);
  const untidy: unknown[] = [];
  using erasing = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const erasure = await erase(repository, record.tag, selection, {
    signal, progress: erasing.listener, alone: options.alone === true, onUntidy: (error) => untidy.push(error),
  });
  erasing.stop();
  const certificate = certificateOf(repository.context, record.entity, erasure, options.names);
  const written = await giveCertificate(context, certificate, file);
  if (written && certificate.pending.length === 0) list?.remove();
  try {
    await forgetCatalog(repository, record.entity.id);
  } catch (error) {
    untidy.push(error);
  }
  for (const error of untidy) {
    stderr.write(`warning: The items are erased, but not all was tidied up: ${printable(messageOf(error))} The same erasure, run again, tries that again [erase/untidy]\n`);
  }
  const { pending, backupsInterrupted, packsUnread } = certificate;
  return written && untidy.length === 0 && pending.length + backupsInterrupted + packsUnread.length === 0;
}

/** The certificate is all that tells what is gone: where the file takes it no more, it is shown. */
async function giveCertificate({ out, stderr }: CommandContext, certificate: ErasureCertificate, file: CertificateFile): Promise<boolean> {
  let path: string | null = file.path;
  try {
    file.write(certificate);
  } catch (error) {
    stderr.write(`warning: The items are erased, but the certificate cannot be written: ${printable(messageOf(error))} Keep it from here [erase/certificate-unwritable]\n`);
    path = null;
    await out.line(JSON.stringify(certificate));
  }
  await out.document({ ...certificate, file: path });
  await tell({ out, stderr }, certificate, path);
  return path !== null;
}

/** With what lies below the chosen items; an erasure that did not finish may have left nothing to be counted. */
async function willErase(repository: Repository, { entity, tag }: EntityRecord, selection: Selection, signal: AbortSignal): Promise<string> {
  try {
    const { items, snapshots } = await previewErasure(repository, tag, selection, signal);
    return `Erasing ${plural(items.size, 'item')} from ${plural(snapshots, 'snapshot')} of ${printable(entity.id)}`;
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'erase/no-item' || !(await hasBegunErasing(repository, tag, selection, signal))) throw error;
    return `Erasing what is left of ${plural(selection.keys.size, 'item')} of ${printable(entity.id)}`;
  }
}

/** What would go. */
async function preview({ out, signal }: CommandContext, repository: Repository, record: EntityRecord, selection: Selection): Promise<void> {
  const { items, snapshots } = await previewErasure(repository, record.tag, selection, signal);
  const ids = itemIds(items.keys());
  const listed = [...items.values()].map(({ names, versions }, i) => ({ id: ids[i] ?? '', names: [...names], versions }));
  await out.document({ dryRun: true, items: listed, snapshots });
  await out.line(`Nothing was changed. ${plural(items.size, 'item')} would be erased from ${plural(snapshots, 'snapshot')}:`);
  for (const { names, versions } of listed.slice(0, MOST_SHOWN)) await out.line(`  ${names.map(printable).join(', ')}  (${plural(versions, 'version')})`);
  if (listed.length > MOST_SHOWN) await out.line(`  and ${listed.length - MOST_SHOWN} more; --json lists all`);
}

async function tell({ out, stderr }: Pick<CommandContext, 'out' | 'stderr'>, certificate: ErasureCertificate, file: string | null): Promise<void> {
  const { items, snapshots, packsDeleted, packsRewritten, blobsErased, blobsKept, backupsInterrupted, packsUnread, pending, goneBy } = certificate;
  if (pending.length > 0) {
    await out.line(`Hid ${plural(items.length, 'item')}: no snapshot shows them any more. Locks of the storage hold ${plural(pending.length, 'object')} with them, until ${goneBy} at the latest, whatever backups go on.`);
    await out.line('Run the same erasure again after that: it deletes them, and says so in a certificate. This one lists the objects.');
  } else {
    await out.line(`Erased ${plural(items.length, 'item')}: ${plural(snapshots.length, 'snapshot')} replaced by new ones without them.`);
    await out.line(`  ${plural(blobsErased, 'piece')} of content gone; ${plural(packsDeleted, 'pack')} deleted, what else ${packsRewritten} of them held was written anew`);
    if (blobsKept > 0) await out.line(`  ${plural(blobsKept, 'piece')} kept, for other items that hold the same content`);
  }
  await out.line(`${file === null ? '' : `The certificate is ${printable(file)}. `}Snapshots have new ids.`);
  await out.line('Where the source still has the items, the next backup stores them again: delete them there first.');
  if (packsUnread.length > 0) {
    stderr.write(`warning: ${plural(packsUnread.length, 'pack')} cannot be read whole and stay; older versions may be in them. The certificate names them [erase/packs-unread]\n`);
  }
  if (backupsInterrupted > 0) {
    stderr.write(`warning: ${plural(backupsInterrupted, 'backup')} of the entity were at work meanwhile, or had died. Run the same erasure again when none is [erase/backup-interrupted]\n`);
  }
}
