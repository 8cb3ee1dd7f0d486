import { createHash } from 'node:crypto';
import type { BinaryString, ItemRow } from '../../domain/index.ts';
import { mailHeaderLength, readMailSummary } from '../../formats/index.ts';
import type { SourceItem } from '../contract.ts';
import type { FetchRow } from './fetchRow.ts';
import { parseInternalDate } from './internalDate.ts';
import { folderKey, messageKey } from './itemKeys.ts';

/** The fields of a mail's row; those that are empty are left out. */
export interface MailMeta {
  /** System flags: '\\Seen' … */
  readonly flags?: readonly string[];
  readonly keywords?: readonly string[];
  /** As the server wrote it, with its zone. */
  readonly internalDate?: string;
  readonly from?: string;
  readonly to?: string;
  /** The Date field, milliseconds since 1970 UTC. */
  readonly date?: number;
  readonly messageId?: string;
  /** {@link fingerprint}; present once the content was read. */
  readonly fp?: string;
  /** RFC822.SIZE where it is not the length of the content: some servers estimate. */
  readonly listedSize?: number;
}

/** Fields that a broken row lacks read as absent. */
export function parseMailMeta(meta: string): MailMeta {
  try {
    const value: unknown = JSON.parse(meta);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** 16 bytes of SHA-256 over the header as BODY[HEADER] gives it, base64url. */
export function fingerprint(header: Uint8Array): string {
  return createHash('sha256').update(header).digest().subarray(0, 16).toString('base64url');
}

/**
 * Recognises a mail when its UID says nothing, by what a listing gives without the body: header, size, second of
 * arrival. Equal means the same mail.
 */
export function identityOf(fp: string, size: number, modified: number | null): string {
  return `${fp}.${size}@${Math.floor((modified ?? 0) / 1000)}`;
}

/** {@link identityOf} as the server that the row came from would list it; undefined when its content was never read. */
export function listedIdentity(row: Pick<ItemRow, 'meta' | 'size' | 'modified'>): string | undefined {
  const { fp, listedSize } = parseMailMeta(row.meta);
  return fp === undefined ? undefined : identityOf(fp, listedSize ?? row.size, row.modified);
}

function flagFields(flags: string): Pick<MailMeta, 'flags' | 'keywords'> {
  const all = flags === '' ? [] : flags.split(' ');
  const system = all.filter((flag) => flag.startsWith('\\'));
  const keywords = all.filter((flag) => !flag.startsWith('\\'));
  return { ...(system.length === 0 ? {} : { flags: system }), ...(keywords.length === 0 ? {} : { keywords }) };
}

/** The change key: a UID's content never changes, so flags and keywords are all that can. */
export function changeOf(flags: string): BinaryString {
  return Buffer.from(flags, 'utf8').toString('latin1');
}

/** A mail as listed, before anyone has seen its header. */
export function listedMessage(folder: number, uidValidity: number, row: FetchRow): SourceItem {
  const internalDate = row.internalDate ?? '';
  const meta: MailMeta = { ...flagFields(row.flags ?? ''), ...(internalDate === '' ? {} : { internalDate }) };
  return {
    key: messageKey(folder, uidValidity, row.uid), parent: folderKey(folder), name: '', kind: 'mail',
    size: row.size ?? 0, modified: parseInternalDate(internalDate), change: changeOf(row.flags ?? ''),
    meta: JSON.stringify(meta),
  };
}

/** A listed mail with what its content tells. `start` holds at least the header; `size` is the real length of the content. */
export function readMessage(item: SourceItem, start: Uint8Array, size: number): SourceItem {
  const header = start.subarray(0, mailHeaderLength(start));
  const summary = readMailSummary(header);
  const { flags, keywords, internalDate } = parseMailMeta(item.meta);
  const meta: MailMeta = {
    ...(flags === undefined ? {} : { flags }), ...(keywords === undefined ? {} : { keywords }),
    ...(internalDate === undefined ? {} : { internalDate }),
    ...(summary.from === '' ? {} : { from: summary.from }), ...(summary.to === '' ? {} : { to: summary.to }),
    ...(summary.date === null ? {} : { date: summary.date }),
    ...(summary.messageId === '' ? {} : { messageId: summary.messageId }),
    fp: fingerprint(header),
    ...(item.size === size ? {} : { listedSize: item.size }),
  };
  const { key, parent, kind, modified, change } = item;
  return { key, parent, name: summary.subject, kind, size, modified, change, meta: JSON.stringify(meta) };
}

/** A stored mail under (perhaps) another key, with the flags of now. */
export function reflagged(row: ItemRow, key: BinaryString, parent: BinaryString, flags: string): SourceItem {
  const { flags: _flags, keywords: _keywords, ...rest } = parseMailMeta(row.meta);
  return {
    key, parent, name: row.name, kind: row.kind, size: row.size, modified: row.modified, change: changeOf(flags),
    meta: JSON.stringify({ ...flagFields(flags), ...rest }),
  };
}
