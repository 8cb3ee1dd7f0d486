const MOST = 320;

/** A text as it is compared, sorted and searched for: without case and accents. Never longer than an index takes, though one character may become many. */
export function fold(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().slice(0, MOST).toWellFormed();
}

/** A text of a provider as the database takes it, and no more of it than a line. */
export function cleanLine(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MOST).toWellFormed();
}

/** A pattern of `like` that finds the folded text wherever it stands. */
export function containing(text: string): string {
  return `%${fold(text).replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
