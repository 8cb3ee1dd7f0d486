import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { listOf, readDocument } from '../items/documents.ts';
import { doOnce } from '../restore/doOnce.ts';
import { attachMissing } from '../restore/keptAttachments.ts';
import { formatOrigin } from '../restore/origin.ts';
import type { FolderWriting, ItemWriting, Place, WrittenItem, Writing } from '../restore/partWriting.ts';
import { recurrenceOf } from '../restore/recurrence.ts';
import { changedFields, pruned, stampOf, withTag } from '../restore/shapes.ts';
import { standingIn } from '../restore/standingItems.ts';
import { failed, type TargetAccess } from '../subTarget.ts';
import { TASKS_PURPOSE } from './taskContent.ts';
import { listedTask } from './taskItem.ts';
import { noteOrigin, originOfTask, taskOrigin } from './taskOrigin.ts';
import { writeParts, type PartList } from './taskParts.ts';
import { LINK_FIELDS, partsOf, STEP_FIELDS, taskShape, TASK_FIELDS } from './taskShape.ts';
import { tasksPlan } from './tasksPlan.ts';

const WRITE_PURPOSE = 'write tasks (Tasks.ReadWrite.All)';
const SHOWN = '$expand=checklistItems,linkedResources,attachments';
const STEPS: PartList = { name: 'checklistItems', fields: STEP_FIELDS, noun: 'step' };
const LINKS: PartList = { name: 'linkedResources', fields: LINK_FIELDS, noun: 'link' };

const folders: FolderWriting = {
  source: tasksPlan.folders, purpose: WRITE_PURPOSE, isNested: false,
  wellKnown: (list) => (textOf(list, 'wellknownListName') === 'defaultList' ? 'defaultList' : ''),
  createPath: (base) => `${base}/todo/lists`,
  path: (base, id) => `${base}/todo/lists/${encodeURIComponent(id)}`,
  fields: () => ({}),
  leave: (list) => {
    // What is in it are the flags of mails, which come back with the mails.
    if (isOfFlags(list)) return { result: 'skipped' };
    return list['isOwner'] === false ? failed('not-own', 'This list belongs to somebody else who shares it. Restore it there, from the backup of that mailbox.') : undefined;
  },
  isOwn: (list) => list['isOwner'] !== false && !isOfFlags(list),
};

/** Tasks are given back with their steps, links and attachments, in their lists. */
export const taskWriting: ItemWriting = {
  name: tasksPlan.name, kind: tasksPlan.kind, nouns: tasksPlan.nouns, readPurpose: TASKS_PURPOSE, writePurpose: WRITE_PURPOSE, folders,
  listPath: (base, folderId) => `${base}/todo/lists/${encodeURIComponent(folderId)}/tasks?$expand=extensions`,
  shortPath: (base, place) => `${pathOf(base, place)}?$expand=extensions`,
  listed: listedTask,
  originOf: originOfTask,
  isShort: (task) => !('extensions' in task),
  shownPaths: (base, place) => [`${pathOf(base, place)}?${SHOWN}`],
  shape: taskShape,
  make,
  mend,
  remove,
  discard: remove,
  isGoneForGood: true,
  attachmentsAt: (base, place) => `${pathOf(base, place)}/attachments`,
};

function pathOf(base: string, { id, folderId }: Place): string {
  return `${base}/todo/lists/${encodeURIComponent(folderId)}/tasks/${encodeURIComponent(id)}`;
}

function isOfFlags(list: Entry): boolean {
  return textOf(list, 'wellknownListName') === 'flaggedEmails';
}

async function make(document: Entry, writing: Writing): Promise<WrittenItem> {
  const { folderId, tag, access: { path } } = writing;
  const kept = { ...document, categories: withTag(document['categories'], tag) } as Entry;
  const recurrence = recurrenceOf(document);
  const links = partsOf(document, 'linkedResources', LINK_FIELDS);
  const fields = pruned({ ...Object.fromEntries(TASK_FIELDS.map((name) => [name, kept[name]])), linkedResources: links }) as Entry;
  const body = { ...fields, ...(recurrence === null ? {} : { recurrence }) };
  const hasMore = listOf(document, 'checklistItems').length > 0 || listOf(document, 'attachments').length > 0;
  const stamp = writing.stampOf({ ...document, checklistItems: [], attachments: [] });
  const made = await createOnce(body, writing.origin(stamp, !hasMore), writing);
  const at = pathOf(path, { id: idOf(made), folderId });
  if (hasMore) {
    await writeParts(at, STEPS, document, {}, writing, WRITE_PURPOSE);
    await attachMissing({ at: `${at}/attachments`, purpose: WRITE_PURPOSE, ofTask: true }, listOf(document, 'attachments'), [], writing);
  }
  const now = hasMore ? await shownTask(at, writing) : { ...made, linkedResources: links };
  const isNoted = !hasMore && writing.stampOf(now) === stamp;
  if (!isNoted) await noteOrigin(at, writing.origin(writing.stampOf(now), true), writing, WRITE_PURPOSE);
  return { id: idOf(made), shown: isNoted ? made : undefined };
}

/** Where the answer was lost the task is looked for in its list by its origin. */
async function createOnce(body: Entry, origin: string, { access, folderId, signal }: Writing): Promise<Entry> {
  const { graph, budget, path } = access;
  const list = `${path}/todo/lists/${encodeURIComponent(folderId)}/tasks`;
  return await doOnce(access, signal, {
    act: async () => await graph.post(list, { ...body, extensions: [taskOrigin(origin)] }, { purpose: WRITE_PURPOSE, budget, signal, repeatable: false }),
    look: async () => {
      for await (const tasks of standingIn(access, taskWriting, folderId, signal)) {
        const found = tasks.find((task) => task.origin !== undefined && formatOrigin(task.origin) === origin);
        if (found !== undefined) return await graph.get(pathOf(path, found), { purpose: TASKS_PURPOSE, budget, signal });
      }
      return undefined;
    },
  });
}

async function shownTask(at: string, { access: { graph, budget }, signal }: Writing): Promise<Entry> {
  return await readDocument(graph, `${at}?${SHOWN}`, { purpose: TASKS_PURPOSE, budget, signal });
}

/** What differs is written. */
async function mend(place: Place, document: Entry, standing: Entry, writing: Writing): Promise<undefined> {
  const { access: { graph, budget, path }, signal, tag } = writing;
  const at = pathOf(path, place);
  const wanted = { ...document, categories: withTag(document['categories'], tag) };
  const recurrence = recurrenceOf(document);
  const isOther = stampOf({ recurrence }) !== stampOf({ recurrence: recurrenceOf(standing) });
  const changes = { ...changedFields(standing, wanted, TASK_FIELDS), ...(isOther ? { recurrence } : {}) };
  if (Object.keys(changes).length > 0) await graph.patch(at, changes, { purpose: WRITE_PURPOSE, budget, signal });
  await writeParts(at, STEPS, document, standing, writing, WRITE_PURPOSE);
  await writeParts(at, LINKS, document, standing, writing, WRITE_PURPOSE);
  await attachMissing({ at: `${at}/attachments`, purpose: WRITE_PURPOSE, ofTask: true }, listOf(document, 'attachments'), listOf(standing, 'attachments'), writing);
  await noteOrigin(at, writing.origin(writing.stampOf(await shownTask(at, writing)), true), writing, WRITE_PURPOSE);
}

/** To Do has no way to delete for good besides the one way to delete. */
async function remove(place: Place, { graph, path, budget }: TargetAccess, signal: AbortSignal): Promise<void> {
  await graph.remove(pathOf(path, place), { purpose: WRITE_PURPOSE, budget, signal }).catch((error: unknown) => {
    if (!hasCode(error, 'not-found')) throw error;
  });
}
