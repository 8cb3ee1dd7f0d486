import type { ItemRow, Progress } from '../../../domain/index.ts';
import type { ChangeJournal, RestoreItem, RestoreMode, WriteResult } from '../../contract.ts';
import type { StreamImport } from './streams/streamImport.ts';
import type { MailboxAccess } from './subService.ts';

/** How a restore writes into a mailbox. */
export interface TargetOptions {
  readonly mode: RestoreMode;
  /** Name of the new top folder of mode 'separate'. */
  readonly folderName: string;
  /** With mode 'replace': a category that everything gets that is given back or changed. */
  readonly tag?: string;
  /** With mode 'replace': what the names of folders end with that the restore makes. */
  readonly suffix?: string;
  /** The items are of another mailbox: none of them is there under its own id. */
  readonly ofAnother?: boolean;
  /** Where changes are written down before they are made; with it a plan is a promise to carry it out. undefined: nowhere. */
  readonly journal?: ChangeJournal;
  /** Told what concerns the restore as a whole. */
  readonly tell?: Progress;
}

export interface TargetAccess extends MailboxAccess {
  /** A private directory for as long as the session is open. */
  scratch(): Promise<string>;
  /** Gives items back as streams. */
  readonly streamImport: StreamImport;
}

/** The writing side of a part of a mailbox: its counterpart is the {@link SubService} of the same name, and it gets that one's rows alone. */
export interface SubTarget {
  readonly name: string;
  /** As in the contract of target sessions. Called with the items of a batch, whose writes follow before the next call. */
  plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]>;
  folder(item: RestoreItem, signal: AbortSignal): Promise<WriteResult>;
  /** As in the contract of target sessions. */
  reads?(item: RestoreItem, signal: AbortSignal): Promise<ItemRow>;
  /** Called for several at once. `read` gives the content of the item's other row. */
  write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal, read: (row: ItemRow) => Promise<Uint8Array>): Promise<WriteResult>;
  finish(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type SubTargetFactory = (access: TargetAccess, options: TargetOptions) => SubTarget;

export function altered(code: string, message: string): WriteResult {
  return { result: 'altered', outcome: { state: 'altered', code, message } };
}

export function failed(code: string, message: string): WriteResult {
  return { result: 'failed', outcome: { state: 'failed', code, message } };
}
