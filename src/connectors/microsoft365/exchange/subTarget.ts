import type { ChangeJournal, RestoreItem, RestoreMode, WriteResult } from '../../contract.ts';
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
}

export interface TargetAccess extends MailboxAccess {
  /** A private directory for as long as the session is open. */
  scratch(): Promise<string>;
}

/** The writing side of a part of a mailbox: its counterpart is the {@link SubService} of the same name, and it gets that one's rows alone. */
export interface SubTarget {
  readonly name: string;
  /** As in the contract of target sessions. Called with the items of a batch, whose writes follow before the next call. */
  plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]>;
  folder(item: RestoreItem, signal: AbortSignal): Promise<WriteResult>;
  /** Called for several at once. */
  write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal): Promise<WriteResult>;
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
