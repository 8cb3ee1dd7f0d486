/** Facts 47 and 66: from this size on attachments need an upload session. Told in MB; what is between a million bytes' and a mebibyte's reading of it may be refused by either way. */
const SMALL = 3_000_000;

/** An attachment on its way, in the form in which Graph takes it. */
export interface NewAttachment {
  readonly name: string;
  readonly type: string;
  readonly inline: boolean;
  readonly contentId: string;
  /** Bytes of a file; 0 for an item. */
  readonly size: number;
  /** Undefined where it is too large for one request. */
  readonly document: Readonly<Record<string, unknown>> | undefined;
  /** Empty for an item. */
  readonly bytes: Uint8Array;
}

/** A file as an attachment; of a task where `ofTask` says so. */
export function fileAttachment(file: Omit<NewAttachment, 'size' | 'document'>, ofTask = false): NewAttachment {
  const attachment = { ...file, size: file.bytes.length, document: undefined };
  return file.bytes.length >= SMALL ? attachment : { ...attachment, document: asDocument(attachment, ofTask) };
}

/** The form in which a file goes along in one request. */
export function asDocument({ name, type, inline, contentId, bytes }: NewAttachment, ofTask: boolean): Readonly<Record<string, unknown>> {
  const contentBytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  if (ofTask) return { '@odata.type': '#microsoft.graph.taskFileAttachment', name, contentType: type, contentBytes };
  return { '@odata.type': '#microsoft.graph.fileAttachment', name, contentType: type, isInline: inline, ...(contentId === '' ? {} : { contentId }), contentBytes };
}
