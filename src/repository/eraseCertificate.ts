import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Entity } from '../domain/index.ts';
import type { Erasure, PendingObject } from './erase.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/** What a certificate says of names and ids: as they are, or their keyed hashes, by which a key holder can tell whether an item was meant. */
export type CertificateNames = 'plain' | 'hashed';

const NOT_REACHED = 'Copies of the repository (one that "holdfast copy" keeps loses the items by its next run with --prune), older versions of '
  + 'objects where the storage keeps them, and caches of other machines until they next use the entity.';

/** Proof of an erasure, signed with a key of the repository: see docs/format/layout.md. Fields are only ever added. */
export interface ErasureCertificate {
  readonly format: 'holdfast-erasure-1';
  readonly repository: string;
  readonly entity: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly names: CertificateNames;
  readonly items: readonly { readonly id: string; readonly names: readonly string[]; readonly versions: number }[];
  /** Snapshots that held them, by manifest hash, and those that stand for them now. */
  readonly snapshots: readonly { readonly id: string; readonly sha256: string; readonly by: { readonly id: string; readonly sha256: string } | null }[];
  /** Objects that were deleted for it. */
  readonly manifestsDeleted: number;
  readonly segmentsDeleted: number;
  readonly packsDeleted: number;
  /** Of those packs, so many whose other contents were written anew. */
  readonly packsRewritten: number;
  readonly blobsErased: number;
  /** Pieces of their contents that other items, of this entity or another, are made of as well: they stay, for those. */
  readonly blobsKept: number;
  /** Backups of the entity that were at work meanwhile, or had died: run the same erasure again when they have ended. */
  readonly backupsInterrupted: number;
  /** Damaged packs, in which something stands that no snapshot needs: maybe an older version of the items. */
  readonly packsUnread: readonly string[];
  /** What a lock of the storage still holds, and until when. Not empty: the items are hidden, and the same erasure, run again after that, deletes the rest. */
  readonly pending: readonly PendingObject[];
  /** By then the last of those locks has ended, whatever backups go on; null where nothing is pending. */
  readonly goneBy: string | null;
  /** In words: where else the items may be. */
  readonly notReached: string;
  /** HMAC-SHA-256, hex, over all that stands before it. */
  readonly mac: string;
}

export function certificateOf(
  context: RepositoryContext, entity: Entity, erasure: Erasure, shown: CertificateNames,
): ErasureCertificate {
  const tell = (text: string): string => (shown === 'plain' ? text : keyedHash(context, 'name', text));
  const deleted = (prefix: string): number => erasure.deleted.filter((name) => name.startsWith(prefix)).length;
  const body = {
    format: 'holdfast-erasure-1' as const, repository: context.keyring.repository, entity: tell(entity.id),
    startedAt: erasure.startedAt, finishedAt: erasure.finishedAt, names: shown,
    items: [...erasure.items].map(([key, { names, versions }]) => ({
      id: tell(Buffer.from(key, 'latin1').toString('base64url')), names: [...names].map(tell), versions,
    })),
    snapshots: erasure.snapshots.map(({ id, sha256, by }) => ({ id, sha256, by: by ?? null })),
    manifestsDeleted: deleted('snapshots/'), segmentsDeleted: deleted('segments/'), packsDeleted: deleted('packs/'),
    packsRewritten: erasure.packsRewritten, blobsErased: erasure.blobsErased, blobsKept: erasure.blobsKept,
    backupsInterrupted: erasure.backupsInterrupted, packsUnread: erasure.packsUnread, pending: erasure.pending,
    goneBy: erasure.goneBy, notReached: NOT_REACHED,
  };
  return { ...body, mac: macOf(context, body) };
}

/** Whether the certificate is what a holder of this repository's keys signed. */
export function certificateHolds(context: RepositoryContext, certificate: unknown): boolean {
  if (typeof certificate !== 'object' || certificate === null || !('mac' in certificate)) return false;
  const { mac, ...body } = certificate;
  const expected = Buffer.from(macOf(context, body));
  const given = Buffer.from(String(mac));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function macOf(context: RepositoryContext, body: object): string {
  return keyedHash(context, 'certificate', JSON.stringify(body));
}

function keyedHash({ keyring }: RepositoryContext, what: string, text: string): string {
  return createHmac('sha256', keyring.certificateKey).update(`${what}\0`).update(text).digest('hex');
}
