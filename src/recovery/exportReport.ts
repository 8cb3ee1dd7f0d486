/** What an export can be made as. */
export type ExportFormat = 'eml' | 'mbox' | 'zip';

/** One thing that is not in the export, or not as it was. */
export interface ExportIssue {
  readonly item: string;
  readonly code: string;
  readonly message: string;
}

/** Items that were chosen, and that an export does not take along by a rule. */
export interface LeftOut {
  /** export/other-kind: the format holds mails alone. export/on-hold: only the source's legal hold keeps them. */
  readonly code: 'export/other-kind' | 'export/on-hold';
  /** What such items are called. */
  readonly kind: string;
  items: number;
  readonly message: string;
}

/** A file that holds several items. */
export interface ExportPart {
  readonly file: string;
  readonly size: number;
  /** Hex digits. */
  readonly sha256: string;
  readonly items: number;
}

export interface ExportReport {
  /** Items that are in the export. */
  items: number;
  /** Not in it; each is an issue. */
  missing: number;
  /** By code and kind; neither in it nor missing. */
  readonly leftOut: LeftOut[];
  folders: number;
  /** Bytes of their contents. */
  bytes: number;
  /** Files written, the manifest apart. */
  files: number;
  /** Bytes of these files. */
  fileBytes: number;
  /** ZIP and MBOX files, the first thousand. */
  readonly parts: ExportPart[];
  /** The first thousand. */
  readonly issues: ExportIssue[];
}
