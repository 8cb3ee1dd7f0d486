/** Names of stored objects. The bucket shows kinds, sizes and times, never an entity's name or a blob's id. */
export const CONFIG = 'config';
export const SHARED = 'shared';
const PREPARED = '.prepared';
/** Somebody saw listings lag behind in this place. */
export const WEAK = 'weak';

export const names = {
  init: (id: string) => `init/${id}`,
  key: (slot: string) => `keys/${slot}`,
  /** `<n>-<id>`, the number with leading zeros. */
  epoch: (id: string) => `epochs/${id}`,
  /** The same epoch before it is in use. */
  preparedEpoch: (id: string) => `epochs/${id}${PREPARED}`,
  /** Without an id: what the names of all records of the entity start with. */
  entity: (tag: string, id?: string) => (id === undefined ? `entities/${tag}` : `entities/${tag}/${id}`),
  /** By the last part of its name, which is the tag itself where the record is of the old form. */
  entityRecord: (tag: string, last: string) => (last === tag ? `entities/${tag}` : `entities/${tag}/${last}`),
  /** In 256 folders, so that no listing of a large repository reads one endless folder. */
  pack: (stream: string, id: string) => `packs/${stream}/${id.slice(-2)}/${id}`,
  packs: (stream: string) => `packs/${stream}/`,
  index: (stream: string, id: string) => `index/${stream}/${id}`,
  segment: (tag: string, id: string) => `segments/${tag}/${id}`,
  snapshot: (tag: string, id: string) => `snapshots/${tag}/${id}`,
  seal: (tag: string, id: string) => `seals/${tag}/${id}`,
  checkpoint: (tag: string, run: string) => `checkpoints/${tag}/${run}`,
  pin: (tag: string, id: string) => `pins/${tag}/${id}`,
  doomed: (n: number, id: string) => `doomed/${String(n).padStart(10, '0')}-${id}`,
  /** Each pruner retires an unsealed manifest under a name of its own, and withdraws only that. */
  void: (tag: string, id: string, pruner: string) => `void/${tag}/${id}-${pruner}`,
  voids: (tag: string, id: string) => `void/${tag}/${id}-`,
  /** What marks a repository as a copy of another place's. */
  copy: (id: string) => `copies/${id}`,
  /** That a program is at work which may not meet certain others. */
  claim: (id: string) => `claims/${id}`,
  /** How the repository's objects are locked. */
  lock: (id: string) => `locks/${id}`,
  removal: (n: number, id: string) => `removals/${String(n).padStart(10, '0')}-${id}`,
  /** What a restore changed, record by record. By parts: what the names of all records of a destination, or of a restore, start with. */
  journals: (tag?: string, restore?: string) => ['journals', ...[tag, restore].filter((part) => part !== undefined), ''].join('/'),
  journal: (tag: string, restore: string, n: number) => `journals/${tag}/${restore}/${String(n).padStart(10, '0')}`,
  /** What one run that takes the restore back has done. */
  undo: (tag: string, restore: string, run: string, n: number) => `journals/${tag}/${restore}/undo-${run}-${String(n).padStart(10, '0')}`,
  setting: (n: number, id: string) => `settings/${String(n).padStart(10, '0')}-${id}`,
} as const;

/** Whether it is the name of an epoch that is not in use yet. */
export function isPrepared(name: string): boolean {
  return name.endsWith(PREPARED);
}

/** `<n>-<id>` of the epoch that an object under `epochs/` is about, prepared or not. */
export function epochOfName(name: string): string {
  const last = lastSegment(name);
  return isPrepared(last) ? last.slice(0, -PREPARED.length) : last;
}

/** The last segment of an object's name. */
export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
