import type { TodoTask } from '@microsoft/microsoft-graph-types';
import type { Item } from '../mailbox/item.ts';
import type { SeededItems } from '../mailbox/shelf.ts';
import type { Properties } from '../odata/list.ts';
import { isoSeconds } from '../server/clock.ts';
import { diceOf, SEED_EPOCH } from './owner.ts';
import type { Owner } from './owner.ts';
import { categoriesOf, paragraph, subjectOf } from './texts.ts';

export function seededTasks(owner: Owner, name: string, count: number): SeededItems {
  return { name, count, rankOf: (index) => -index, make: (index) => makeTask(owner, name, index) };
}

function makeTask(owner: Owner, name: string, index: number): Item {
  const dice = diceOf(owner, 'task', name, index);
  const created = SEED_EPOCH - dice.int(40_000_000) * 1000;
  const isDone = dice.chance(0.4);
  const due = new Date(created + dice.int(30) * 86_400_000).toISOString().slice(0, 10);
  const midnight = { dateTime: `${due}T00:00:00.0000000`, timeZone: 'UTC' };
  const notes = Buffer.from(dice.chance(0.5) ? paragraph(dice, 2) : '');
  const task: TodoTask = {
    title: subjectOf(dice), status: isDone ? 'completed' : dice.pick(['notStarted', 'inProgress', 'waitingOnOthers']), importance: dice.chance(0.2) ? 'high' : 'normal',
    body: { content: notes.toString(), contentType: 'text' }, bodyLastModifiedDateTime: isoSeconds(created), categories: categoriesOf(dice), isReminderOn: false,
    ...(dice.chance(0.5) ? { dueDateTime: midnight } : {}), ...(isDone ? { completedDateTime: midnight } : {}),
  };
  const steps = Array.from({ length: dice.int(4) }, (_, place) => ({ id: diceOf(owner, name, index, 'step', place).uuid(), displayName: subjectOf(dice), isChecked: dice.chance(0.5), createdDateTime: isoSeconds(created) }));
  const links = dice.chance(0.2) ? [{ id: diceOf(owner, name, index, 'link').uuid(), webUrl: 'https://tracker.example/4711', applicationName: 'Tracker', displayName: 'Ticket 4711', externalId: '4711' }] : [];
  const text = dice.chance(0.1) ? [notes] : [];
  return {
    key: `${name}.${index}`, kind: 'task', rank: -index, moves: 0, version: 0, created, modified: created, properties: task as Properties, extended: [], steps, links,
    attachments: text.map((bytes) => ({ key: 'a0', type: 'taskFileAttachment', name: 'notes.txt', contentType: 'text/plain', isInline: false, contentId: null, modified: created, size: bytes.length, bytes: () => bytes })),
  };
}

/** Sticky notes: no resource of Graph shows them but the items of the mailbox folder API (fact 53). */
export function seededNotes(owner: Owner, name: string, count: number): SeededItems {
  return {
    name, count, rankOf: (index) => -index,
    make: (index) => {
      const dice = diceOf(owner, 'note', name, index);
      const created = SEED_EPOCH - dice.int(90_000_000) * 1000;
      const text = paragraph(dice, 1 + dice.int(3));
      const properties = { subject: text.slice(0, 40), body: { contentType: 'text', content: text }, categories: [] };
      return { key: `${name}.${index}`, kind: 'note', rank: -index, moves: 0, version: 0, created, modified: created, properties, extended: [], attachments: [] };
    },
  };
}
