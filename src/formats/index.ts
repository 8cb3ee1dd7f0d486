import { loadedLater } from '../runtime/index.ts';
export * from './mailHeader.ts';
export type { MailPart, MailParts, MailPerson } from './mailParts.ts';
export * from './mboxrd.ts';
export * from './safeFileName.ts';
export { packContent, type PackedContent } from './zipContent.ts';
export type { ZipEntry } from './zipRecords.ts';
export { ZipWriter, type ZipWriterOptions } from './zipWriter.ts';
export type { ContentText } from './readText.ts';
export type { TextFormat } from './textFormat.ts';

export const readMailParts = loadedLater(async () => (await import('./mailParts.ts')).readMailParts);
export const readText = loadedLater(async () => (await import('./readText.ts')).readText);
