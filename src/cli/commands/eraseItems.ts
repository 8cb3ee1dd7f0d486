import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HoldfastError, messageOf } from '../../domain/index.ts';
import { forgetCatalog } from '../../recovery/index.ts';
import {
  certificateOf, erase, previewErasure, type CertificateNames, type EntityRecord, type ErasureCertificate, type Repository, type Selection,
} from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { confirmName } from '../confirmName.ts';
import { chooseItems, type SelectionOptions } from '../eraseSelection.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { findEntity } from '../findEntity.ts';
import { plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
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

/** Names that a dry run prints for people; --json has all. */
const MOST_SHOWN = 50;

export async function eraseItems(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  const file = resolve(options.certificate ?? `holdfast-erasure-${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')}.json`);
  if (existsSync(file)) throw usageError('certificate-exists', `${file} exists, and a certificate is never written over. Give another --certificate.`);
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const repository = await openRepository(context, options, display.listener);
  const record = await findEntity(repository, options.entity, signal);
  const { selection, whole } = await chooseItems(context, repository, record, options, display.listener);
  display.stop();
  if (options.dryRun === true) {
    await preview(context, repository, record, selection);
    return whole ? EXIT.done : EXIT.warnings;
  }
  await confirmName(context, `Erasing ${plural(selection.keys.size, 'item')} from every snapshot of ${printable(record.entity.id)}`, record.entity.name, options.yes === true);
  using erasing = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const erasure = await erase(repository, record.tag, selection, { signal, progress: erasing.listener, alone: options.alone === true });
  forgetCatalog(repository, record.entity.id);
  const certificate = certificateOf(repository.context, record.entity, erasure, options.names);
  writeCertificate(file, certificate);
  erasing.stop();
  await out.document({ ...certificate, file });
  await tell(context, certificate, file);
  const { pending, backupsInterrupted, packsUnread } = certificate;
  return pending.length + backupsInterrupted + packsUnread.length === 0 && whole ? EXIT.done : EXIT.warnings;
}

/** What would go. */
async function preview({ out, signal }: CommandContext, repository: Repository, record: EntityRecord, selection: Selection): Promise<void> {
  const { items, snapshots } = await previewErasure(repository, record.tag, selection, signal);
  const listed = [...items].map(([key, { names, versions }]) => ({ id: Buffer.from(key, 'latin1').toString('base64url'), names: [...names], versions }));
  await out.document({ dryRun: true, items: listed, snapshots });
  await out.line(`Nothing was changed. ${plural(items.size, 'item')} would be erased from ${plural(snapshots, 'snapshot')}:`);
  for (const { names, versions } of listed.slice(0, MOST_SHOWN)) await out.line(`  ${names.map(printable).join(', ')}  (${plural(versions, 'version')})`);
  if (listed.length > MOST_SHOWN) await out.line(`  and ${listed.length - MOST_SHOWN} more; --json lists all`);
}

function writeCertificate(file: string, certificate: ErasureCertificate): void {
  try {
    writeFileSync(file, `${JSON.stringify(certificate, undefined, 1)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new HoldfastError('erase/certificate-unwritable', 'input',
      `The items were erased, but the certificate cannot be written: ${messageOf(cause)}. Run the same erasure again with another --certificate.`, { cause });
  }
}

async function tell({ out, stderr }: CommandContext, certificate: ErasureCertificate, file: string): Promise<void> {
  const { items, snapshots, packsDeleted, packsRewritten, blobsErased, blobsKept, backupsInterrupted, packsUnread, pending } = certificate;
  if (pending.length > 0) {
    const last = pending.map(({ until }) => until).toSorted().at(-1) ?? '';
    await out.line(`Hid ${plural(items.length, 'item')}: no snapshot shows them any more. Locks of the storage hold ${plural(pending.length, 'object')} with them, the last until ${last}.`);
    await out.line('Run the same erasure again after that: it deletes them. The certificate lists the objects.');
  } else {
    await out.line(`Erased ${plural(items.length, 'item')}: ${plural(snapshots.length, 'snapshot')} replaced by new ones without them.`);
    await out.line(`  ${plural(blobsErased, 'piece')} of content gone; ${plural(packsDeleted, 'pack')} deleted, what else ${packsRewritten} of them held was written anew`);
    if (blobsKept > 0) await out.line(`  ${plural(blobsKept, 'piece')} kept, for other items that hold the same content`);
  }
  await out.line(`The certificate is ${printable(file)}. Snapshots have new ids.`);
  await out.line('Where the source still has the items, the next backup stores them again: delete them there first.');
  if (packsUnread.length > 0) {
    stderr.write(`warning: ${plural(packsUnread.length, 'pack')} cannot be read whole and stay; older versions may be in them. The certificate names them [erase/packs-unread]\n`);
  }
  if (backupsInterrupted > 0) {
    stderr.write(`warning: ${plural(backupsInterrupted, 'backup')} of the entity were at work meanwhile, or had died. Run the same erasure again when none is [erase/backup-interrupted]\n`);
  }
}
