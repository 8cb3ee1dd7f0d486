import type { Properties } from '../odata/list.ts';

export type ItemKind = 'message' | 'event' | 'contact' | 'task' | 'note';

export interface ExtendedProperty {
  /** '{type} 0xTTTT' or '{type} {guid} Name n' or '{type} {guid} Id 0xLLLL' (fact 46). */
  readonly id: string;
  readonly value: string | readonly string[];
}

export interface Attachment {
  /** Unique within its item. */
  readonly key: string;
  readonly type: 'fileAttachment' | 'itemAttachment' | 'referenceAttachment' | 'taskFileAttachment';
  readonly name: string;
  readonly contentType: string | null;
  readonly isInline: boolean;
  readonly contentId: string | null;
  readonly modified: number;
  readonly size: number;
  /** A file's content; of an item the MIME form. */
  bytes(): Buffer;
  /** Of an itemAttachment: the item as Graph shows it. */
  readonly item?: Properties;
}

/** An occurrence that differs from its series. */
export interface SeriesException {
  readonly properties: Properties;
  readonly version: number;
  readonly modified: number;
  /** Undefined: those of the series. */
  readonly attachments?: readonly Attachment[];
}

/** What makes an event a series (facts 61 to 63). Dates are those of the occurrences' original starts, '2026-03-09'. */
export interface Series {
  readonly exceptions: Map<string, SeriesException>;
  readonly cancelled: Set<string>;
}

/** One thing in a mailbox. `key` never changes while it stays in the mailbox; ordinary ids change with `moves`, change keys with `version`. */
export interface Item {
  readonly key: string;
  readonly kind: ItemKind;
  /** Place in its folder's order; for messages the time of arrival. */
  readonly rank: number;
  readonly moves: number;
  readonly version: number;
  readonly created: number;
  readonly modified: number;
  /** By the service's own names; ids, change key and times of the item are added when it is shown. */
  readonly properties: Properties;
  readonly extended: readonly ExtendedProperty[];
  readonly attachments: readonly Attachment[];
  readonly series?: Series;
  readonly photo?: () => Buffer;
  /** Checklist items and linked resources of a task. */
  readonly steps?: readonly Properties[];
  readonly links?: readonly Properties[];
  /** Open extensions of a task. */
  readonly extensions?: readonly Properties[];
}
