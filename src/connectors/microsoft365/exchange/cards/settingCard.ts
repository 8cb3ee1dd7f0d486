import type { PreviewCard, PreviewField } from '../../../../domain/index.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import { objectOf } from '../items/documents.ts';
import { field, text } from './cardValues.ts';

const MOST_FIELDS = 300;
const DEEPEST = 8;
/** Pages that the service sends for people: shown as the body. */
const REPLIES = ['internalReplyMessage', 'externalReplyMessage'];

/** Settings, a rule or a category: what it says, named as the service names it. */
export function settingCard(name: string, document: Entry): PreviewCard {
  const fields: PreviewField[] = [];
  collect(document, '', fields, 0);
  const replies = REPLIES.map((reply) => textOf(objectOf(document, 'automaticRepliesSetting'), reply)).filter((reply) => reply !== '');
  return {
    title: name, fields, parts: [], ...(replies.length === 0 ? {} : { body: { html: true, text: replies.join('<hr>') } }),
    remarks: fields.length < MOST_FIELDS ? [] : [{ code: 'fields-cut', message: `Only the first ${MOST_FIELDS} settings are shown.` }],
  };
}

function collect(value: unknown, label: string, into: PreviewField[], depth: number): void {
  if (into.length >= MOST_FIELDS || depth > DEEPEST) return;
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) into.push(field(label, ...value.map((one) => text(typeof one === 'boolean' ? String(one) : one))));
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) if (!isForPrograms(name)) collect(inner, label === '' ? name : `${label}.${name}`, into, depth + 1);
  } else into.push(field(label, text(typeof value === 'boolean' ? String(value) : value)));
}

function isForPrograms(name: string): boolean {
  return name === 'id' || name.startsWith('@odata.') || REPLIES.includes(name);
}
