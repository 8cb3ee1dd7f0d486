/** What an export can be made as. */
export type ExportFormat = 'eml' | 'mbox' | 'zip';

/** One thing that is not in the export, or not as it was. */
export interface ExportIssue {
  readonly item: string;
  readonly code: string;
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
