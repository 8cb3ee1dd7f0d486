import type { PreviewCard, PreviewValue } from '../../../../domain/index.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import { listOf } from '../items/documents.ts';
import { bodyOf, day, field, partsOf, term, text, texts, time } from './cardValues.ts';
import { recurrenceText } from './recurrenceText.ts';

/** A task as people see it. */
export function taskCard(document: Entry): PreviewCard {
  return {
    title: textOf(document, 'title'), ...bodyOf(document), parts: partsOf(document), remarks: [],
    fields: [
      field('status', term(document, 'status')), field('importance', term(document, 'importance', 'normal')), field('start', day(document['startDateTime'])), field('due', day(document['dueDateTime'])),
      field('completed', day(document['completedDateTime'])), field('reminder', document['isReminderOn'] === true ? time(document['reminderDateTime']) : undefined),
      field('recurrence', text(recurrenceText(document))), field('categories', ...texts(document, 'categories')), field('steps', ...listOf(document, 'checklistItems').map(step)),
      field('links', ...listOf(document, 'linkedResources').map((one) => text([textOf(one, 'displayName'), textOf(one, 'webUrl')].filter((part) => part !== '').join(' ')))),
    ],
  };
}

function step(entry: Entry): PreviewValue {
  return { type: 'text', text: `${entry['isChecked'] === true ? '☑' : '☐'} ${textOf(entry, 'displayName')}` };
}
