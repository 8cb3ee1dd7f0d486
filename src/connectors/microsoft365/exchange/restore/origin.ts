import type { Entry } from '../../graph/pages.ts';

/** A property of our own on everything of a mailbox that a restore makes or repairs: what it was made from, so that another run knows it again (fact 46). */
export const ORIGIN_ID = 'String {6b1f0c52-9d0e-4e5a-8a39-5d1c1f6a7e21} Name HoldfastRestored';
const NAME = 'HoldfastRestored';
const VERSION = '1';

export interface Origin {
  /** Id of what was backed up. */
  readonly source: string;
  /** Which content of it; the part of the mailbox knows the form. */
  readonly content: string;
  /** It stands in a "Restored" folder: a copy for looking, not the thing itself. */
  readonly beside: boolean;
  /** False while attachments and the like are still to come. What a killed run left so is made anew. */
  readonly whole: boolean;
  /** The restore that wrote it, where one keeps a journal: what it made is found by this, though it was killed before it could note it. */
  readonly restore?: string;
}

export function formatOrigin({ source, content, beside, whole, restore }: Origin): string {
  return [VERSION, source, content, beside ? 'beside' : 'place', whole ? 'whole' : 'part', ...(restore === undefined ? [] : [restore])].join(' ');
}

/** undefined for what is no origin of ours. */
export function parseOrigin(text: string): Origin | undefined {
  const [version, source = '', content = '', where, state, restore, more] = text.split(' ');
  if (version !== VERSION || source === '' || content === '' || more !== undefined) return undefined;
  if ((where !== 'beside' && where !== 'place') || (state !== 'whole' && state !== 'part')) return undefined;
  if (restore !== undefined && !/^[0-9a-f]{32}$/.test(restore)) return undefined;
  return { source, content, beside: where === 'beside', whole: state === 'whole', ...(restore === undefined ? {} : { restore }) };
}

/** The origin of something that is listed, and that as it is listed without asking for the origin. */
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
