import { hash } from 'node:crypto';
import type { SnapshotInfo } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import type { LockMode, Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { isNumber, isText, listOf, objectOf, orMissing, orNull, shaped } from './recordShape.ts';
import { damaged, openJson, sealJson } from './sealedObject.ts';
import { isLayers, type Layer } from './segment.ts';

/** All that a snapshot is: what it says of itself, where its rows are, and what the next run needs. */
export interface Manifest extends SnapshotInfo {
  readonly tag: string;
  /** Catalog layers, oldest (the base) first; see docs/format. */
  readonly layers: readonly Layer[];
  /** The connector's cursor for the next run. */
  readonly cursor: string | null;
  /** Ids of the entity's records with keys, as its run knew them: one that is gone leaves packs that nobody can read. */
  readonly entityKeys?: readonly string[];
  /** The snapshot, and its manifest's hash, that this one stands for since an erasure: the same point in time without what was erased. */
  readonly replaces?: ManifestRef;
  /** The snapshot that this one was made against, and the SHA-256 (hex) of its stored manifest. */
  readonly predecessor: ManifestRef | null;
  /** Where the repository is locked: until when all that the snapshot needs is, as an ISO 8601 time, and the id of the setting, which tells of which place that is said. */
  readonly lock?: { readonly mode: LockMode; readonly until: string; readonly setting: string };
}

/** A manifest by its id and SHA-256 (hex). */
export interface ManifestRef {
  readonly id: string;
  readonly sha256: string;
}

/** Ids of snapshots of one entity that others among them stand for: an erasure was not finished. */
export function supersededIds(manifests: readonly Manifest[]): Set<string> {
  return new Set(manifests.flatMap(({ replaces }) => replaces?.id ?? []));
}

export interface StoredManifest {
  readonly manifest: Manifest;
  /** SHA-256 (hex) of the manifest object's bytes. */
  readonly sha256: string;
}

interface Seal {
  readonly manifest: string;
}

const isSeal = objectOf({ manifest: isText });
const isRef = objectOf({ id: isText, sha256: isText });
const isManifest = objectOf({
  id: isText, tag: isText, entity: objectOf({ id: isText, service: isText, name: isText }), startedAt: isText, finishedAt: isText, status: isText,
  counts: objectOf({ items: isNumber, folders: isNumber, bytes: isNumber }), warnings: listOf(objectOf({ item: isText, message: isText })),
  layers: isLayers, cursor: orNull(isText), predecessor: orNull(isRef), replaces: orMissing(isRef), entityKeys: orMissing(listOf(isText)),
  lock: orMissing(objectOf({ mode: isText, until: isText, setting: isText })),
});

export function manifestBytes(manifest: Manifest, keyring: Keyring, random: RandomBytes): { parts: Buffer[]; sha256: string } {
  const parts = sealJson(names.snapshot(manifest.tag, manifest.id), manifest, keyring.meta, random);
  return { parts, sha256: hash('sha256', Buffer.concat(parts), 'hex') };
}

export async function readManifest(
  storage: Storage, keyring: Keyring, tag: string, id: string, signal?: AbortSignal,
): Promise<StoredManifest> {
  const name = names.snapshot(tag, id);
  const bytes = await storage.get(name, signal ? { signal } : {});
  return { manifest: shaped<Manifest>(name, openJson(name, bytes, keyring.metaOf), isManifest), sha256: hash('sha256', bytes, 'hex') };
}

export function sealBytes(tag: string, id: string, sha256: string, keyring: Keyring, random: RandomBytes): Buffer[] {
  return sealJson(names.seal(tag, id), { manifest: sha256 } satisfies Seal, keyring.meta, random);
}

/** Throws `repository/damaged` where the seal is of another manifest. */
export async function checkSeal(storage: Storage, keyring: Keyring, stored: StoredManifest, signal?: AbortSignal): Promise<void> {
  const { tag, id } = stored.manifest;
  const name = names.seal(tag, id);
  const seal = shaped<Seal>(name, openJson(name, await storage.get(name, signal ? { signal } : {}), keyring.metaOf), isSeal);
  if (seal.manifest !== stored.sha256) throw damaged(names.snapshot(tag, id), 'it is not the manifest that was sealed');
}
