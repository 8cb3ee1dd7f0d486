import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { openCheckpoint } from './checkpoint.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { openPin } from './pin.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { Layer } from './segment.ts';

/** Everything in the bucket that keeps data alive, by name. */
export interface RootNames {
  readonly pins: ReadonlySet<string>;
  readonly checkpoints: ReadonlySet<string>;
  readonly seals: ReadonlySet<string>;
  readonly manifests: ReadonlySet<string>;
}

/**
 * Lists pins and checkpoints before manifests, and seals before manifests: whatever turns from one into the other
 * meanwhile is seen at least once, and a manifest whose seal is listed stood when it was.
 */
export async function listRootNames(context: RepositoryContext, signal?: AbortSignal): Promise<RootNames> {
  const pins = await namesUnder(context, 'pins/', signal);
  const checkpoints = await namesUnder(context, 'checkpoints/', signal);
  const seals = await namesUnder(context, 'seals/', signal);
  const manifests = await namesUnder(context, 'snapshots/', signal);
  return { pins, checkpoints, seals, manifests };
}

export async function namesUnder(context: RepositoryContext, prefix: string, signal?: AbortSignal): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const object of listAll(context.storage, prefix, signal ? { signal } : {})) found.add(object.name);
  return found;
}

/** The names of the folders right under a prefix, one request each. */
export async function streamsUnder(context: RepositoryContext, prefix: string, signal?: AbortSignal): Promise<Set<string>> {
  const streams = new Set<string>();
  for (let after = prefix; ;) {
    const page = await context.storage.list(prefix, { after, limit: 1, ...(signal ? { signal } : {}) });
    const stream = page.objects[0]?.name.slice(prefix.length).split('/')[0];
    if (stream === undefined) return streams;
    streams.add(stream);
    // '0' is the character after '/': everything in the folder sorts before.
    after = `${prefix}${stream}0`;
  }
}

/** 'snapshots/<tag>/<id>' and the like. */
export function tagAndId(name: string): { tag: string; id: string } {
  const [, tag = '', id = ''] = name.split('/');
  return { tag, id };
}

/** When the id was made, by the clock of its maker: milliseconds since 1970. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 12), 16);
}

/** Something that keeps catalog segments, and the blobs that their rows need, alive. */
export interface Root {
  /** Full name of the manifest or checkpoint. */
  readonly name: string;
  readonly layers: readonly Layer[];
  /** As in {@link Manifest}. */
  readonly entityKeys?: readonly string[];
}

/** A manifest as a root; undefined where it was deleted since it was listed. */
export async function readRootManifest(
  context: RepositoryContext, name: string, signal?: AbortSignal,
): Promise<{ manifest: Manifest; sha256: string } | undefined> {
  const { tag, id } = tagAndId(name);
  return unlessGone(() => readManifest(context.storage, context.keyring, tag, id, signal));
}

/**
 * With when it was written, in milliseconds since 1970 by the writer's clock; 'damaged' where nobody can read it, nor take
 * it over. Errors: `repository/too-new` and others that a newer program or key would not meet.
 */
export async function readCheckpointRoot(
  context: RepositoryContext, name: string, signal?: AbortSignal,
): Promise<(Root & { readonly written: number }) | 'damaged' | undefined> {
  try {
    const checkpoint = await unlessGone(async () => {
      const bytes = await context.storage.get(name, signal ? { signal } : {});
      return openCheckpoint(context, name, bytes);
    });
    return checkpoint && { name, layers: checkpoint.layers, written: Date.parse(checkpoint.writtenAt) };
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'repository/damaged') return 'damaged';
    throw error;
  }
}

/** 'snapshots/<tag>/<id>' of every pinned snapshot. */
export async function pinnedManifests(context: RepositoryContext, pins: Iterable<string>, signal?: AbortSignal): Promise<Set<string>> {
  const pinned = new Set<string>();
  for (const name of pins) {
    const pin = await unlessGone(async () => {
      const bytes = await context.storage.get(name, signal ? { signal } : {});
      return openPin(context, name, bytes);
    });
    if (pin) pinned.add(`snapshots/${pin.tag}/${pin.snapshot}`);
  }
  return pinned;
}

async function unlessGone<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/not-found') return undefined;
    throw error;
  }
}
