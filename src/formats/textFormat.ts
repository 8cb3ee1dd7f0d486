/**
 * How a content is read for its words. `properties`: iCalendar and vCard, whose lines are names and values; `text`: everything that is words as it
 * stands.
 */
export type TextFormat = 'mail' | 'text' | 'html' | 'properties';

const EXTENSIONS: Readonly<Record<TextFormat, string>> = {
  mail: 'eml',
  text: 'txt text log csv tsv md markdown rst adoc org tex json jsonl ndjson xml yaml yml toml ini conf cfg srt vtt',
  html: 'html htm xhtml',
  properties: 'ics vcs vcf vcard',
};
const TYPES: Readonly<Record<TextFormat, string>> = {
  mail: 'message/rfc822 message/global',
  text: 'application/json application/xml application/yaml application/x-ndjson application/csv',
  html: 'text/html application/xhtml+xml',
  properties: 'text/calendar text/x-vcalendar text/vcard text/x-vcard text/directory application/ics',
};
/** Text that is a copy of another part, or no words. */
const NO_WORDS = new Set(['text/rtf', 'text/richtext', 'text/x-amp-html', 'text/css', 'text/javascript']);
/** What mail programs call anything: the name says more. */
const ANY_TYPE = new Set(['', 'text/plain', 'application/octet-stream', 'application/x-unknown']);

const byExtension = lookup(EXTENSIONS);
const byType = lookup(TYPES);

/** The format of a file by the end of its name; undefined where there are no words to read. */
export function textFormatOfFile(name: string): TextFormat | undefined {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? undefined : byExtension.get(name.slice(dot + 1).toLowerCase());
}

/** The format of a part of a mail by its type (lower case), or by its name where its type says nothing. */
export function textFormatOfPart(type: string, name: string): TextFormat | undefined {
  const named = ANY_TYPE.has(type) ? textFormatOfFile(name) : undefined;
  return named ?? byType.get(type) ?? (type.startsWith('text/') && !NO_WORDS.has(type) ? 'text' : undefined);
}

function lookup(words: Readonly<Record<TextFormat, string>>): ReadonlyMap<string, TextFormat> {
  const entries = Object.entries(words) as [TextFormat, string][];
  return new Map(entries.flatMap(([format, list]) => list.split(' ').map((word) => [word, format] as const)));
}
