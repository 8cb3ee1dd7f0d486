import type { MailText } from './mailText.ts';
import type { TextFormat } from './textFormat.ts';

/** The words of an item's content, for a search. Fields that a format does not have are ''. */
export type ContentText = MailText;

/** Reads the words of a content; `cut`: it is only the beginning of one. May throw, and may take as long as the content makes it. */
export async function readText(format: TextFormat, content: Uint8Array, { cut = false }: { readonly cut?: boolean } = {}): Promise<ContentText> {
  // Loaded by those who read alone: a short command spends most of its time on loading modules.
  const { MOST_TEXT, readMailText } = await import('./mailText.ts');
  if (format === 'mail') return readMailText(content, { cut });
  const { readFileText } = await import('./fileText.ts');
  return { authors: '', recipients: '', text: readFileText(format, content, { limit: MOST_TEXT, cut }), files: '' };
}
