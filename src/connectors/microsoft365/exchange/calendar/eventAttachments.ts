import { pages, type Entry } from '../../graph/pages.ts';
import { listOf } from '../items/documents.ts';
import { attachMissing } from '../restore/keptAttachments.ts';
import type { Writing } from '../restore/partWriting.ts';
import { SHOWN_ATTACHMENT } from './eventContent.ts';

/** Gives exceptions of a series their attachments. Those of the series are theirs already. `ids`: of the exceptions now, by their ids in the backup. */
export async function attachToExceptions(events: string, document: Entry, ids: ReadonlyMap<string, string>, writing: Writing, purpose: string): Promise<void> {
  const { access: { graph, budget }, signal } = writing;
  for (const [keptId, id] of ids) {
    const kept = listOf(document, '@holdfast.exceptionAttachments').filter((entry) => entry['@holdfast.of'] === keptId);
    if (kept.length === 0) continue;
    const path = `${events}/${encodeURIComponent(id)}`;
    const there: Entry[] = [];
    for await (const page of pages(graph, `${path}/attachments?${SHOWN_ATTACHMENT}`, { purpose, budget, signal })) there.push(...page);
    await attachMissing({ at: `${path}/attachments`, purpose }, kept, there, writing);
  }
}
