export * from './mailHeader.ts';
export { readMailParts, type MailPart, type MailParts, type MailPerson } from './mailParts.ts';
export * from './mboxrd.ts';
export * from './safeFileName.ts';
export { packContent, type PackedContent } from './zipContent.ts';
export type { ZipEntry } from './zipRecords.ts';
export { ZipWriter, type ZipWriterOptions } from './zipWriter.ts';
export { readText, type ContentText } from './readText.ts';
export { textFormatOfFile, type TextFormat } from './textFormat.ts';
