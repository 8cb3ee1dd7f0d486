import type { ItemRow, PreviewCard, PreviewRemark } from '../../../../domain/index.ts';
import type { Entry } from '../../graph/pages.ts';
import { parseObject } from '../items/folders.ts';
import { contactCard } from './contactCard.ts';
import { field, text, texts, time } from './cardValues.ts';
import { eventCard } from './eventCard.ts';
import { settingCard } from './settingCard.ts';
import { taskCard } from './taskCard.ts';

const STREAM: PreviewRemark = { code: 'stream', message: 'Notes are kept as a stream that only Exchange reads. Its title is how it begins.' };

/** An item of a mailbox as people see it, from the document that the service gave; of a note and of what is out of reach from its row alone. */
export function cardOf({ kind, name, meta }: Pick<ItemRow, 'kind' | 'name' | 'meta'>, document: unknown): PreviewCard {
  const entry = (typeof document === 'object' && document !== null && !Array.isArray(document) ? document : {}) as Entry;
  switch (kind) {
    case 'event': return eventCard(entry);
    case 'contact': return named(contactCard(entry), name);
    case 'task': return taskCard(entry);
    case 'note': return noteCard(name, parseObject(meta));
    case 'setting': return settingCard(name, entry);
    default: return { title: name, fields: [], parts: [], remarks: [] };
  }
}

function named(card: PreviewCard, name: string): PreviewCard {
  return card.title === '' ? { ...card, title: name } : card;
}

function noteCard(name: string, meta: Entry): PreviewCard {
  const fields = [field('text', text(name)), field('created', time({ dateTime: meta['created'] })), field('categories', ...texts(meta, 'categories'))];
  return { title: name, fields, parts: [], remarks: [STREAM] };
}
