import { findIana } from 'windows-iana';
import type { PreviewCardPart, PreviewField, PreviewValue } from '../../../../domain/index.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import { momentOf, zonedTime } from '../calendar/zonedTime.ts';
import { listOf, objectOf } from '../items/documents.ts';

/** Of lists in a document, at most. */
const MOST = 1000;

export function field(label: string, ...values: readonly (PreviewValue | undefined)[]): PreviewField {
  return { label, values: values.filter((value) => value !== undefined) };
}

export function text(value: unknown): PreviewValue | undefined {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? { type: 'text', text: String(value) } : undefined;
}

/** A word of the service that has a few of them; `usual` says nothing. */
export function term(document: Entry, name: string, ...usual: readonly string[]): PreviewValue | undefined {
  const word = textOf(document, name);
  return word === '' || usual.includes(word) ? undefined : { type: 'term', text: word };
}

export function texts(document: Entry, name: string): (PreviewValue | undefined)[] {
  const list = document[name];
  return Array.isArray(list) ? list.slice(0, MOST).map(text) : [];
}

/** Somebody with an `emailAddress`. */
export function person(entry: Entry, answer = ''): PreviewValue {
  const address = objectOf(entry, 'emailAddress');
  return { type: 'person', name: textOf(address, 'name'), address: textOf(address, 'address'), ...(answer === '' ? {} : { answer }) };
}

/** A time that a document holds in UTC, and what the clocks showed in the zone that it was made in. */
export function time(value: unknown, zone = ''): PreviewValue | undefined {
  const moment = momentOf(value);
  if (moment === null) return undefined;
  const local = zone === '' ? undefined : zonedTime(moment, zone)?.dateTime;
  return { type: 'time', time: new Date(moment).toISOString(), ...(local === undefined ? {} : { zone: findIana(zone)[0] ?? zone, local }) };
}

/** A day, of a time at its midnight. `earlier`: so many days before. */
export function day(value: unknown, earlier = 0): PreviewValue | undefined {
  const moment = momentOf(value);
  if (moment === null) return undefined;
  const shown = new Date(moment - earlier * 86_400_000);
  return Number.isNaN(shown.getTime()) ? undefined : { type: 'day', text: shown.toISOString().slice(0, 10) };
}

/** A document's text, as it is written. */
export function bodyOf(document: Entry): { readonly body?: { readonly html: boolean; readonly text: string } } {
  const body = objectOf(document, 'body');
  const content = textOf(body, 'content');
  return content === '' ? {} : { body: { html: textOf(body, 'contentType').toLowerCase() === 'html', text: content } };
}

export function partsOf(document: Entry): PreviewCardPart[] {
  return [...listOf(document, 'attachments'), ...listOf(document, '@holdfast.exceptionAttachments')].map((entry) => {
    const { size, contentBytes } = entry;
    return {
      name: textOf(entry, 'name'), type: textOf(entry, 'contentType').toLowerCase(), inline: entry['isInline'] === true, contentId: textOf(entry, 'contentId').replaceAll(/^<|>$/g, ''),
      ...(typeof size === 'number' ? { size } : {}), ...(typeof contentBytes === 'string' ? { bytes: contentBytes } : {}),
    };
  });
}
