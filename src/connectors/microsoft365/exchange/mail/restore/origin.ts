import type { ItemRow } from '../../../../../domain/index.ts';
import type { Entry } from '../../../graph/pages.ts';
import { idOfKey } from '../mailKeys.ts';
import { contentOf } from './mailIdentity.ts';

/** A property of our own on every mail that a restore makes or repairs: what it was made from, so that another run knows it again (fact 46). */
export const ORIGIN_ID = 'String {6b1f0c52-9d0e-4e5a-8a39-5d1c1f6a7e21} Name HoldfastRestored';
const NAME = 'HoldfastRestored';
const VERSION = '1';

export interface Origin {
  /** Id of the message that was backed up. */
  readonly source: string;
  /** Which content of it; see {@link contentOf}. */
  readonly content: string;
  /** It stands in a "Restored" folder: a copy for looking, not the mail itself. */
  readonly beside: boolean;
  /** False while attachments are still to come. What a killed run left so is made anew. */
  readonly whole: boolean;
}

export function formatOrigin({ source, content, beside, whole }: Origin): string {
  return [VERSION, source, content, beside ? 'beside' : 'place', whole ? 'whole' : 'part'].join(' ');
}

/** undefined for what is no origin of ours. */
export function parseOrigin(text: string): Origin | undefined {
  const [version, source = '', content = '', where, state, more] = text.split(' ');
  if (version !== VERSION || source === '' || content === '' || more !== undefined) return undefined;
  if ((where !== 'beside' && where !== 'place') || (state !== 'whole' && state !== 'part')) return undefined;
  return { source, content, beside: where === 'beside', whole: state === 'whole' };
}

/** The origin of a listed message, and the message as it is listed without asking for the origin. */
export function takeOrigin(entry: Entry): { readonly entry: Entry; readonly origin: Origin | undefined } {
  const list = entry['singleValueExtendedProperties'];
  if (!Array.isArray(list)) return { entry, origin: undefined };
  const isOrigin = (property: unknown): boolean => String((property as { id?: unknown } | null)?.id).endsWith(`Name ${NAME}`);
  const value = (list.find(isOrigin) as { value?: unknown } | undefined)?.value;
  return {
    entry: { ...entry, singleValueExtendedProperties: list.filter((property: unknown) => !isOrigin(property)) as unknown[] },
    origin: typeof value === 'string' ? parseOrigin(value) : undefined,
  };
}

export function originOf(row: ItemRow, beside: boolean, whole: boolean): Origin {
  return { source: idOfKey(row.key), content: contentOf(row), beside, whole };
}
