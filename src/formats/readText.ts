import type { MailText } from './mailText.ts';

/** The words of an item's content, for a search. Fields that a format does not have are ''. */
export type ContentText = MailText;

/** How a content is read for its words. */
export type TextFormat = 'mail';

const READERS: Readonly<Record<TextFormat, (content: Uint8Array) => Promise<ContentText>>> = {
  mail: async (content) => (await import('./mailText.ts')).readMailText(content),
};

/** Reads the words of a content, which may be only the beginning of one. May throw, and may take as long as the content makes it. */
export function readText(format: TextFormat, content: Uint8Array): Promise<ContentText> {
  return READERS[format](content);
}
