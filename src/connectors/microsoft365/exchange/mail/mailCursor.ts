/** What a run leaves for the next one: how far each delta query had come. */
export interface MailCursor {
  /** deltaLink of the folders; '' where they are all to be listed. */
  readonly folders: string;
  /** Id of the folder above all others, which is no row. */
  readonly root: string;
  /** deltaLinks of the messages, by folder id. */
  readonly messages: Readonly<Record<string, string>>;
  /** Some contents could not be had: rows that say so are offered again. */
  readonly retry: boolean;
  /** The forms in which all mails are kept. */
  readonly fidelity: string;
}

/** undefined for what is no cursor of ours. */
export function parseMailCursor(value: unknown): MailCursor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { folders, root, messages, retry, fidelity = 'mime' } = value as Partial<Record<keyof MailCursor, unknown>>;
  if (typeof fidelity !== 'string' || typeof folders !== 'string' || typeof root !== 'string' || typeof messages !== 'object' || messages === null) return undefined;
  if (!Object.values(messages).every((link) => typeof link === 'string')) return undefined;
  return { folders, root, messages: messages as Record<string, string>, retry: retry === true, fidelity };
}
