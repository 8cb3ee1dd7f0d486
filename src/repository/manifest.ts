import { hash } from 'node:crypto';
import type { SnapshotInfo } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { damaged, openJson, sealJson } from './sealedObject.ts';
import type { Layer } from './segment.ts';

/** All that a snapshot is: what it says of itself, where its rows are, and what the next run needs. */
export interface Manifest extends SnapshotInfo {
  readonly tag: string;
  /** Catalog layers, oldest (the base) first; see docs/format. */
  readonly layers: readonly Layer[];
  /** The connector's cursor for the next run. */
  readonly cursor: string | null;
  /** The snapshot that this one was made against, and the SHA-256 (hex) of its stored manifest. */
  readonly predecessor: { readonly id: string; readonly sha256: string } | null;
}

export interface StoredManifest {
  readonly manifest: Manifest;
  /** SHA-256 (hex) of the manifest object's bytes. */
  readonly sha256: string;
}

interface Seal {
  readonly manifest: string;
}

export function manifestBytes(manifest: Manifest, keyring: Keyring, random: RandomBytes): { parts: Buffer[]; sha256: string } {
  const parts = sealJson(names.snapshot(manifest.tag, manifest.id), manifest, keyring.meta, random);
  return { parts, sha256: hash('sha256', Buffer.concat(parts), 'hex') };
}

export async function readManifest(
  storage: Storage, keyring: Keyring, tag: string, id: string, signal?: AbortSignal,
): Promise<StoredManifest> {
  const name = names.snapshot(tag, id);
  const bytes = await storage.get(name, signal ? { signal } : {});
  return { manifest: openJson(name, bytes, keyring.metaOf) as Manifest, sha256: hash('sha256', bytes, 'hex') };
}

export function sealBytes(tag: string, id: string, sha256: string, keyring: Keyring, random: RandomBytes): Buffer[] {
  return sealJson(names.seal(tag, id), { manifest: sha256 } satisfies Seal, keyring.meta, random);
}

/** Throws `repository/damaged` where the seal is of another manifest. */
export async function checkSeal(storage: Storage, keyring: Keyring, stored: StoredManifest, signal?: AbortSignal): Promise<void> {
  const { tag, id } = stored.manifest;
  const name = names.seal(tag, id);
  const seal = openJson(name, await storage.get(name, signal ? { signal } : {}), keyring.metaOf) as Seal;
  if (seal.manifest !== stored.sha256) throw damaged(names.snapshot(tag, id), 'it is not the manifest that was sealed');
}
