import { HoldfastError, isHoldfastError } from '../../domain/index.ts';
import type { ConnectionPool } from './connectionPool.ts';
import { canonicalFlags, textOf } from './fetchRow.ts';
import { CHUNK, FolderReader } from './folderReader.ts';
import { atom, quoted, sequence, type ImapConnection, type Response } from './imapConnection.ts';
import { isConnectionLoss, isLocalTrouble } from './imapErrors.ts';
import { mailbox, openMailbox, uidFetch } from './mailboxCommands.ts';
import { serverForm } from './serverForm.ts';

/** A mail that stands at the destination. */
export interface Standing {
  readonly uid: number;
  flags: string;
  /** Key of the item that it was found to be; each is taken once. */
  claimedBy: string | undefined;
}

/** A mail to be written. */
export interface NewMail {
  readonly key: string;
  readonly identity: string;
  readonly bytes: Uint8Array;
  /** Canonical. */
  readonly flags: string;
  readonly internalDate: string | undefined;
}

interface Writable {
  readonly uidValidity: number;
  readonly permanentFlags: ReadonlySet<string> | undefined;
  readonly exists: number;
}

export interface Appended {
  /** Flags that the server does not keep. */
  readonly dropped: readonly string[];
  /** Size as the server has it, where it was looked at: contents that servers are known to change. */
  readonly storedSize: number | undefined;
}

/** One folder of the destination: what stands in it, and writing to it. */
export class RestoreTarget {
  readonly path: string;
  readonly #pool: ConnectionPool;
  readonly #empty: boolean;
  #index: Promise<Map<string, Standing[]>> | undefined;
  #writable: Promise<Writable> | undefined;
  #uidsOfAppended: number[] = [];
  #appended = 0;

  /** `empty`: it does not stand there yet, or was just made. */
  constructor(pool: ConnectionPool, path: string, empty: boolean) {
    this.#pool = pool;
    this.path = path;
    this.#empty = empty;
  }

  /** The mail of that identity which is this item, or which nobody has claimed; claims it. */
  async claim(identity: string, key: string, signal: AbortSignal): Promise<Standing | undefined> {
    const candidates = (await this.#loaded(signal)).get(identity) ?? [];
    const found = candidates.find((standing) => standing.claimedBy === key)
      ?? candidates.find((standing) => standing.claimedBy === undefined);
    if (found !== undefined) found.claimedBy = key;
    return found;
  }

  /** What stands there by identity, listed once. */
  async #loaded(signal: AbortSignal): Promise<Map<string, Standing[]>> {
    this.#index ??= this.#load(signal).catch((error: unknown) => {
      this.#index = undefined;
      throw error;
    });
    return await this.#index;
  }

  async #load(signal: AbortSignal): Promise<Map<string, Standing[]>> {
    const index = new Map<string, Standing[]>();
    if (!this.#empty) await this.#addTo(index, 0, signal);
    return index;
  }

  /** Headers of the mails from that UID on. */
  async #addTo(index: Map<string, Standing[]>, fromUid: number, signal: AbortSignal): Promise<void> {
    const reader = new FolderReader(this.#pool, this.path, signal);
    const { state, list } = await reader.uids();
    const uids = Array.from({ length: list.length }, (_, i) => list.uid(i)).filter((uid) => uid >= fromUid);
    for (let at = 0; at < uids.length; at += CHUNK) {
      const found = await reader.identities(state.uidValidity, uids.slice(at, at + CHUNK));
      for (const [uid, { identity, flags }] of found) {
        const same = index.get(identity) ?? [];
        if (!same.some((standing) => standing.uid === uid)) same.push({ uid, flags, claimedBy: undefined });
        index.set(identity, same);
      }
    }
  }

  async #select(connection: ImapConnection, signal: AbortSignal): Promise<Writable> {
    this.#writable ??= openMailbox(connection, this.path, signal, { writable: true }).catch((error: unknown) => {
      this.#writable = undefined;
      throw error;
    });
    return await this.#writable;
  }

  #keeps(flag: string, permanent: ReadonlySet<string> | undefined): boolean {
    if (permanent === undefined || permanent.has(flag.toLowerCase())) return true;
    return !flag.startsWith('\\') && permanent.has('\\*');
  }

  #split(flags: string, permanent: ReadonlySet<string> | undefined): { kept: string[]; dropped: string[] } {
    const all = flags === '' ? [] : flags.split(' ');
    return {
      kept: all.filter((flag) => this.#keeps(flag, permanent)),
      dropped: all.filter((flag) => !this.#keeps(flag, permanent)),
    };
  }

  /** Makes the flags of a standing mail those; false when they were so already, as far as the server keeps them. */
  async setFlags(standing: Standing, flags: string, signal: AbortSignal): Promise<boolean> {
    return await this.#pool.useAgain(this.path, signal, async (connection) => {
      const { permanentFlags, uidValidity } = await this.#select(connection, signal);
      const { kept } = this.#split(flags, permanentFlags);
      if (sameFlags(kept.join(' '), standing.flags)) return false;
      if (connection.selected?.path !== this.path || !connection.selected.writable) {
        await openMailbox(connection, this.path, signal, { writable: true });
      }
      if (connection.selected?.uidValidity !== uidValidity) throw renumbered();
      const args = [sequence(String(standing.uid)), atom('FLAGS.SILENT'), kept.map((flag) => atom(flag))];
      await connection.command('UID STORE', args, {}, signal);
      standing.flags = canonicalFlags(kept);
      return true;
    });
  }

  /** Appends once: when the connection breaks, looks whether the mail arrived before it tries again. */
  async append(mail: NewMail, signal: AbortSignal): Promise<Appended> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pool.use(this.path, signal, (connection) => this.#append(connection, mail, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (!isConnectionLoss(error) || attempt >= 4) throw error;
        const arrived = await this.#findLost(mail, signal);
        if (arrived) return { dropped: [], storedSize: undefined };
      }
    }
  }

  async #findLost(mail: NewMail, signal: AbortSignal): Promise<boolean> {
    const index = await this.#loaded(signal);
    await this.#addTo(index, Math.max(0, ...this.#uidsOfAppended.slice(-1)), signal);
    const standing = index.get(mail.identity)?.find((found) => found.claimedBy === undefined
      && !this.#uidsOfAppended.includes(found.uid));
    if (standing === undefined) return false;
    standing.claimedBy = mail.key;
    this.#uidsOfAppended.push(standing.uid);
    this.#appended++;
    return true;
  }

  async #append(connection: ImapConnection, mail: NewMail, signal: AbortSignal): Promise<Appended> {
    const { permanentFlags, uidValidity } = await this.#select(connection, signal);
    const { kept, dropped } = this.#split(mail.flags, permanentFlags);
    const value = Buffer.from(mail.bytes.buffer, mail.bytes.byteOffset, mail.bytes.byteLength);
    const isLiteral8 = connection.can('BINARY') && value.includes(0);
    const response = await connection.command('APPEND', [
      mailbox(this.path), kept.map((flag) => atom(flag)),
      ...(mail.internalDate === undefined ? [] : [quoted(mail.internalDate)]),
      { type: 'LITERAL', value, ...(isLiteral8 ? { isLiteral8 } : {}) },
    ], {}, signal);
    this.#appended++;
    const uid = appendedUid(response, uidValidity);
    if (uid === undefined) return { dropped, storedSize: undefined };
    this.#uidsOfAppended.push(uid);
    const index = await this.#loaded(signal);
    const same = index.get(mail.identity) ?? [];
    if (!same.some((standing) => standing.uid === uid)) {
      same.push({ uid, flags: canonicalFlags(kept), claimedBy: mail.key });
    }
    index.set(mail.identity, same);
    return { dropped, storedSize: isOdd(value) ? await this.#sizeOf(connection, uid, signal) : undefined };
  }

  async #sizeOf(connection: ImapConnection, uid: number, signal: AbortSignal): Promise<number | undefined> {
    let size: number | undefined;
    if (connection.selected?.path !== this.path) await openMailbox(connection, this.path, signal);
    await uidFetch(connection, String(uid), ['UID', 'RFC822.SIZE'], (row) => {
      if (row.uid === uid) ({ size } = row);
    }, signal);
    return size;
  }

  /** How many acknowledged mails are not there. */
  async missing(signal: AbortSignal): Promise<number> {
    if (this.#appended === 0) return 0;
    const reader = new FolderReader(this.#pool, this.path, signal);
    const { uidValidity, exists } = await (this.#writable ?? reader.open());
    if (this.#uidsOfAppended.length === this.#appended) {
      let there = 0;
      for (let at = 0; at < this.#appended; at += CHUNK) {
        const uids = this.#uidsOfAppended.slice(at, at + CHUNK).sort((a, b) => a - b);
        there += (await reader.existing(uidValidity, uids)).size;
      }
      return this.#appended - there;
    }
    return Math.max(0, exists + this.#appended - (await reader.open()).exists);
  }
}

/** Flags are not case-sensitive, and servers keep the spelling that they saw first. */
export function sameFlags(a: string, b: string): boolean {
  const plain = (flags: string): string => flags.toLowerCase().split(' ').sort().join(' ');
  return plain(a) === plain(b);
}

/** Line ends that are not CRLF, and NUL: what servers are known to change. */
function isOdd(bytes: Buffer): boolean {
  return bytes.includes(0) || serverForm(bytes) !== undefined;
}

/** APPENDUID of UIDPLUS (RFC 4315), if it is of the numbering that we know. */
function appendedUid(response: Response, uidValidity: number): number | undefined {
  const first = response.attributes?.[0];
  if (first === null || first === undefined || Array.isArray(first)) return undefined;
  const { section = [] } = first as { section?: readonly Parameters<typeof textOf>[0][] };
  if (textOf(section[0]).toUpperCase() !== 'APPENDUID' || Number(textOf(section[1])) !== uidValidity) return undefined;
  const uid = Number(textOf(section[2]));
  return Number.isInteger(uid) && uid > 0 ? uid : undefined;
}

function renumbered(): HoldfastError {
  return new HoldfastError('imap/renumbered', 'resume',
    'The server numbered the mails of a folder anew. Start the restore again.');
}

/** Refusals that concern one item only. */
export function isRefusal(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && isLocalTrouble(error) && error.code !== 'imap/renumbered';
}
