import { hasCode } from '../../graph/graphErrors.ts';
import { entriesOf, idOf, type Entry } from '../../graph/pages.ts';
import { canonicalJson, listOf } from '../items/documents.ts';
import { doOnce } from '../restore/doOnce.ts';
import type { Writing } from '../restore/partWriting.ts';
import { pick, pruned } from '../restore/shapes.ts';

/** A list that belongs to a task: its steps, or its links. */
export interface PartList {
  readonly name: 'checklistItems' | 'linkedResources';
  readonly fields: readonly string[];
  /** For people. */
  readonly noun: string;
}

/** Makes a list of a task as it was kept: what is there already stays, what differs is written, what came to it since goes. What is refused is lost, and named. */
export async function writeParts(path: string, list: PartList, document: Entry, standing: Entry, writing: Writing, purpose: string): Promise<void> {
  const textOf = (part: Entry): string => canonicalJson(pruned(pick(part, list.fields)) ?? {});
  const others = [...listOf(standing, list.name)];
  const missing: Entry[] = [];
  for (const part of listOf(document, list.name)) {
    const same = others.findIndex((one) => textOf(one) === textOf(part));
    if (same >= 0) others.splice(same, 1);
    else missing.push(pick(part, list.fields));
  }
  let count = listOf(standing, list.name).length;
  for (const part of missing) {
    const before = count;
    await attempt(list, part, writing, async () => await addOnce(`${path}/${list.name}`, part, before, writing, purpose));
    count++;
  }
  for (const other of others) await attempt(list, other, writing, async () => await removePart(`${path}/${list.name}/${encodeURIComponent(idOf(other))}`, writing, purpose));
}

/** Where the answer was lost the number of those that are there tells whether it arrived. */
async function addOnce(at: string, part: Entry, before: number, { access, signal }: Writing, purpose: string): Promise<void> {
  const { graph, budget } = access;
  const options = { purpose, budget, signal };
  await doOnce(access, signal, {
    act: async () => await graph.post(at, pruned(part), { ...options, repeatable: false }),
    look: async () => (entriesOf(await graph.get(`${at}?$top=100`, options)).length > before ? part : undefined),
  });
}

async function removePart(path: string, { access: { graph, budget }, signal }: Writing, purpose: string): Promise<void> {
  await graph.remove(path, { purpose, budget, signal }).catch((error: unknown) => {
    if (!hasCode(error, 'not-found')) throw error;
  });
}

async function attempt({ noun }: PartList, part: Entry, { losses, signal }: Writing, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    signal.throwIfAborted();
    if (!hasCode(error, 'refused')) throw error;
    losses.add('part-lost', `the ${noun} "${String(part['displayName'])}": ${error.message}`);
  }
}
