import { isHoldfastError, type ItemRow } from '../domain/index.ts';
import { BlobReader } from './blobReader.ts';
import { FindingList, NAMED_ITEMS, type AffectedItem, type FindingEntry } from './checkReport.ts';
import type { CheckStream, CheckView } from './checkStream.ts';
import { lostRecords, readEntity, type EntityRecord } from './entityKeys.ts';
import { ContentWalk, walkVisible } from './liveness.ts';
import type { Manifest } from './manifest.ts';
import { names } from './names.ts';
import type { Layer } from './segment.ts';
import { StateCursor, type SegmentSource } from './state.ts';

const WHY = {
  missing: 'The pack is missing.',
  damaged: 'Parts of this pack are damaged.',
  'index-differs': 'The index says something else of this pack than the pack itself.',
};

/** Finds out for every item version of an entity's snapshots whether its content can be read. */
export class ItemCheck {
  readonly #view: CheckView;
  readonly #tag: string;
  readonly #snapshots: readonly Manifest[];
  readonly #streams: readonly CheckStream[];
  readonly #moved: (id: Buffer) => boolean;
  /** Ids of segments that cannot be read. */
  readonly #lost = new Set<string>();
  #findings = new FindingList();
  #items = 0;
  #named: { entry: FindingEntry; row: ItemRow; snapshot: number }[] = [];

  /** `moved`: whether a blob that is not found has a good place by now. */
  constructor(
    view: CheckView, tag: string, snapshots: readonly Manifest[], own: CheckStream, shared: CheckStream,
    moved: (id: Buffer) => boolean = () => false,
  ) {
    this.#view = view;
    this.#tag = tag;
    this.#snapshots = snapshots;
    this.#streams = [own, shared];
    this.#moved = moved;
  }

  /** Without the entity's record only its segments are looked at. */
  async run(entity: EntityRecord | undefined): Promise<{ findings: FindingList; items: number }> {
    const lostSegments = new FindingList();
    const reader = entity && new BlobReader(this.#view.context, entity);
    try {
      for (;;) {
        this.#findings = new FindingList();
        this.#named = [];
        this.#items = 0;
        const damaged = await this.#walk(reader);
        if (damaged === undefined) break;
        this.#addSegment(lostSegments, damaged.id, damaged.error);
      }
      await this.#namePaths();
    } finally {
      await reader?.close();
    }
    this.#findings.merge(lostSegments);
    return { findings: this.#findings, items: this.#items };
  }

  /** One pass over all readable segments. @returns the next one that cannot be read. */
  async #walk(reader: BlobReader | undefined): Promise<{ id: string; error: unknown } | undefined> {
    const { signal } = this.#view;
    const walk = reader && new ContentWalk(reader);
    try {
      await walkVisible(this.#source, this.#snapshots.map((manifest) => this.#readable(manifest)), (row, showing) => {
        this.#items++;
        if (row.content === '') return undefined;
        const hit = new Set<FindingEntry>();
        const give = (id: Buffer): void => this.#find(id, hit);
        const note = (): void => { if (hit.size > 0) this.#note(hit, row.row, showing[0] ?? 0); };
        try {
          const waiting = walk?.ids(row.content, give, signal);
          if (!waiting) {
            note();
            return undefined;
          }
          const { row: whole } = row;
          return waiting.catch((error: unknown) => this.#unreadable(error, hit))
            .then(() => { if (hit.size > 0) this.#note(hit, whole, showing[0] ?? 0); });
        } catch (error) {
          this.#unreadable(error, hit);
          note();
          return undefined;
        }
      }, signal);
      return undefined;
    } catch (error) {
      const id = this.#segmentOf(error);
      if (id === undefined) throw error;
      return { id, error };
    }
  }

  get #source(): SegmentSource {
    return { storage: this.#view.context.storage, keyring: this.#view.context.keyring, tag: this.#tag };
  }

  #readable(manifest: Manifest): readonly Layer[] {
    return manifest.layers.map((layer) => layer.filter((ref) => !this.#lost.has(ref.id)));
  }

  #segmentOf(error: unknown): string | undefined {
    if (!isHoldfastError(error)) return undefined;
    const name = String(error.data['object'] ?? error.data['name'] ?? '');
    const prefix = names.segment(this.#tag, '');
    return name.startsWith(prefix) && !this.#lost.has(name.slice(prefix.length)) ? name.slice(prefix.length) : undefined;
  }

  #find(id: Buffer, hit: Set<FindingEntry>): void {
    let bad: Exclude<ReturnType<CheckStream['find']>, string> | undefined;
    for (const stream of this.#streams) {
      const found = stream.find(id);
      if (found === 'good') return;
      if (found !== 'unknown') bad = found;
    }
    if (this.#moved(id)) return;
    if (bad) {
      hit.add(this.#findings.add(bad.name, bad.why, WHY[bad.why]));
      return;
    }
    const strays = this.#streams.some((stream) => stream.strays.size > 0);
    hit.add(this.#findings.add(`index/${this.#tag}/`, 'not-indexed',
      `Data of these items is in no index.${strays ? " There are packs that no index names: run 'holdfast rebuild'." : ''}`));
  }

  /** A recipe that is kept in blobs could not be read; where a blob of it is missing, that is noted already. */
  #unreadable(error: unknown, hit: Set<FindingEntry>): void {
    if (!isHoldfastError(error)) throw error;
    if (['storage/not-found', 'repository/missing-blob'].includes(error.code) && hit.size > 0) return;
    hit.add(this.#findings.addError(String(error.data['object'] ?? names.segment(this.#tag, '')), error));
  }

  #note(hit: ReadonlySet<FindingEntry>, row: ItemRow, snapshot: number): void {
    for (const entry of hit) {
      entry.itemCount++;
      if (entry.itemCount <= this.#view.named) this.#named.push({ entry, row, snapshot });
    }
  }

  async #namePaths(): Promise<void> {
    for (const { entry, row, snapshot } of this.#named) {
      const manifest = this.#snapshots[snapshot];
      if (!manifest) continue;
      entry.items.push({ entity: manifest.entity.name, snapshot: manifest.id, path: await this.#path(row, manifest) });
    }
  }

  async #path(row: ItemRow, manifest: Manifest): Promise<string> {
    const parts = [row.name];
    let { parent } = row;
    while (parent !== '' && parts.length < 100) {
      const cursor = new StateCursor(this.#source, this.#readable(manifest), this.#view.signal);
      await cursor.seek(parent);
      if (cursor.key !== parent) break;
      const folder = cursor.row;
      parts.unshift(folder.name);
      if (folder.parent === parent) break;
      ({ parent } = folder);
    }
    return parts.filter((part) => part !== '').join('/');
  }

  /** The rows themselves are lost: what they were can only be said by their keys. */
  #addSegment(findings: FindingList, id: string, error: unknown): void {
    this.#lost.add(id);
    const entry = findings.addError(names.segment(this.#tag, id), error);
    for (const manifest of this.#snapshots) {
      const ref = manifest.layers.flat().find((one) => one.id === id);
      if (!ref) continue;
      entry.itemCount = Math.max(entry.itemCount, ref.rows);
      const path = `(a list of ${ref.rows} changes, from ${JSON.stringify(ref.first)} on)`;
      if (entry.items.length < this.#view.named) entry.items.push(item(manifest, path));
    }
  }
}

function item(manifest: Manifest, path: string): AffectedItem {
  return { entity: manifest.entity.name, snapshot: manifest.id, path };
}

/** For objects without which nothing of these snapshots can be read. */
export function hitWhole(entry: FindingEntry, snapshots: readonly Manifest[]): void {
  for (const manifest of snapshots) {
    entry.itemCount += manifest.counts.items;
    if (entry.items.length < NAMED_ITEMS) entry.items.push(item(manifest, '(all items)'));
  }
}

/** The entity's record; what is wrong with it becomes a finding. */
export async function entityOrFinding(view: CheckView, tag: string, snapshots: readonly Manifest[]): Promise<EntityRecord | undefined> {
  try {
    const entity = await readEntity(view.context.storage, view.context.keyring, tag, view.signal);
    for (const lost of lostRecords(entity, snapshots)) {
      view.errors.add(lost, 'missing', "A record with one of the entity's keys is missing: what was sealed with it cannot be read.");
    }
    return entity;
  } catch (error) {
    const missing = isHoldfastError(error) && error.code === 'storage/not-found';
    if (missing && snapshots.length === 0) return undefined;
    const object = isHoldfastError(error) ? error.data['object'] : undefined;
    hitWhole(view.errors.addError(String(object ?? `${names.entity(tag)}/`), error), snapshots);
    return undefined;
  }
}
