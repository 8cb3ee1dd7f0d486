import { createHash } from 'node:crypto';
import type { BinaryString } from '../../../../domain/index.ts';
import type { Entry } from '../../graph/pages.ts';
import { canonicalJson } from '../items/documents.ts';

/** A value without what says nothing: null, empty texts, lists and objects. undefined where nothing is left. */
export function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((entry: unknown) => pruned(entry) ?? null);
  if (typeof value !== 'object' || value === null) return value === '' || value === null ? undefined : value;
  const entries = Object.entries(value).map(([name, inner]) => [name, pruned(inner)] as const).filter(([, inner]) => inner !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** These properties of a document; those that are missing are null. */
export function pick(document: Entry, names: readonly string[]): Entry {
  return Object.fromEntries(names.map((name) => [name, document[name] ?? null]));
}

/** Tells one shape from another. */
export function stampOf(shape: Entry): string {
  return hash(canonicalJson(pruned(shape) ?? {}));
}

/** Which content a row has. */
export function contentOfChange(change: BinaryString): string {
  return hash(Buffer.from(change, 'latin1'));
}

function hash(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}

/** Categories with a restore's own. */
export function withTag(categories: unknown, tag: string | undefined): readonly string[] {
  const list = Array.isArray(categories) ? categories.filter((one): one is string => typeof one === 'string') : [];
  return tag === undefined || list.includes(tag) ? list : [...list, tag];
}

/** A shape without a restore's own category, which is no difference. */
export function untagged(shape: Entry, tag: string | undefined): Entry {
  const { categories } = shape;
  return Array.isArray(categories) ? { ...shape, categories: withoutTag(categories, tag) } : shape;
}

/** Categories without a restore's own, in one order. */
export function withoutTag(categories: readonly unknown[], tag: string | undefined): readonly string[] {
  return categories.map(String).filter((one) => one !== tag).sort((a, b) => (a < b ? -1 : 1));
}

/** Those of the named properties that differ from what stands, as they are wanted. */
export function changedFields(standing: Entry, wanted: Entry, names: readonly string[]): Entry {
  const isSame = (name: string): boolean => canonicalJson([pruned(standing[name])]) === canonicalJson([pruned(wanted[name])]);
  return Object.fromEntries(names.filter((name) => !isSame(name)).map((name) => [name, wanted[name] ?? null]));
}
