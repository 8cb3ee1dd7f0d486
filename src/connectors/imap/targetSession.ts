import { HoldfastError, messageOf, type Outcome } from '../../domain/index.ts';
import { mailHeaderLength } from '../../formats/index.ts';
import type { RestoreItem, RestoreMode, TargetSession, WriteResult } from '../contract.ts';
import type { ConnectionPool } from './connectionPool.ts';
import { canonicalFlags } from './fetchRow.ts';
import { parseFolderMeta } from './folderItem.ts';
import { formatInternalDate } from './internalDate.ts';
import { fingerprint, identityOf, parseMailMeta } from './messageItem.ts';
import { decodeModifiedUtf7 } from './modifiedUtf7.ts';
import { RestoreFolders, type Place } from './restoreFolders.ts';
import { isRefusal, RestoreTarget, sameFlags, type Standing } from './restoreTarget.ts';
import { serverForm } from './serverForm.ts';

export interface TargetOptions {
  readonly mode: RestoreMode;
  /** Name of the new top folder of mode 'separate'. */
  readonly folderName: string;
}

function altered(code: string, message: string): WriteResult {
  return { result: 'altered', outcome: { state: 'altered', code, message } };
}

function failed(code: string, message: string): WriteResult {
  const outcome: Outcome = { state: 'failed', code, message };
  return { result: 'failed', outcome };
}

/**
 * Writes into one mailbox. What stands there already is recognised by header, size and date of arrival, so a second
 * run writes nothing. Never deletes.
 */
export class ImapTarget implements TargetSession {
  readonly #pool: ConnectionPool;
  readonly #mode: RestoreMode;
  readonly #folders: RestoreFolders;
  readonly #targets = new Map<string, RestoreTarget>();

  constructor(pool: ConnectionPool, options: TargetOptions) {
    this.#pool = pool;
    this.#mode = options.mode;
    this.#folders = new RestoreFolders(pool, options.mode, options.folderName);
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = [];
    for (const item of items) results.push(await this.#planOne(item, signal));
    return results;
  }

  async #planOne(item: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const { row } = item;
    if (row.kind === 'folder') {
      const { path } = await this.#folders.placeOfFolder(item, signal);
      return { result: await this.#folders.existing(path, signal) === undefined ? 'written' : 'unchanged' };
    }
    if (row.kind !== 'mail') return failed('not-a-mail', 'A mailbox holds only mails; this item is none.');
    const place = await this.#folders.placeOfMail(item, signal);
    const { fp } = parseMailMeta(row.meta);
    if (fp === undefined || await this.#folders.existing(place.path, signal) === undefined) return { result: 'written' };
    const target = await this.#target(place, signal);
    const standing = await target.claim(identityOf(fp, row.size, row.modified), row.key, signal);
    return { result: standing === undefined ? 'written' : this.#verdict(item, standing) };
  }

  #verdict(item: RestoreItem, standing: Standing): 'unchanged' | 'skipped' | 'replaced' {
    if (this.#mode === 'skip') return 'skipped';
    if (this.#mode === 'replace' && !sameFlags(flagsOf(item), standing.flags)) return 'replaced';
    return 'unchanged';
  }

  async folder(item: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const place = await this.#folders.placeOfFolder(item, signal);
    const { container, subscribed } = parseFolderMeta(item.row.meta);
    try {
      const done = container === true ? await this.#folders.leaveToServer(place.path, signal)
        : await this.#folders.ensure(place.path, subscribed === true, signal);
      if (place.renamed) {
        return altered('renamed', 'The destination can not have a folder of this name here; '
          + `it is called "${decodeModifiedUtf7(place.path)}" now.`);
      }
      return { result: done === 'made' ? 'written' : 'unchanged' };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return failed('refused', error.message);
    }
  }

  async write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal): Promise<WriteResult> {
    const { row } = item;
    if (row.kind !== 'mail') return failed('not-a-mail', 'A mailbox holds only mails; this item is none.');
    const place = await this.#folders.placeOfMail(item, signal);
    const meta = parseMailMeta(row.meta);
    const fp = meta.fp ?? fingerprint(bytes.subarray(0, mailHeaderLength(bytes)));
    const identity = identityOf(fp, bytes.length, row.modified);
    try {
      // Before the folder is made: whether it was empty decides what is listed.
      const target = await this.#target(place, signal);
      await this.#folders.ensure(place.path, false, signal);
      const standing = await target.claim(identity, row.key, signal) ?? await this.#changedByServer(item, bytes, target, signal);
      if (standing !== undefined) return await this.#keep(item, target, standing, signal);
      const { dropped, storedSize } = await target.append({
        key: row.key, identity, bytes, flags: flagsOf(item),
        internalDate: meta.internalDate ?? (row.modified === null ? undefined : formatInternalDate(row.modified)),
      }, signal);
      if (storedSize !== undefined && storedSize !== bytes.length) {
        return altered('bytes-changed', 'The server changed line ends or bytes that are not allowed in mails.');
      }
      if (dropped.length > 0) return altered('flags-dropped', `The server does not keep these flags: ${dropped.join(', ')}.`);
      return { result: 'written' };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return failed('refused', messageOf(error));
    }
  }

  /** The mail as an earlier restore left it: the server did not keep all its bytes. */
  async #changedByServer({ row }: RestoreItem, bytes: Uint8Array, target: RestoreTarget, signal: AbortSignal): Promise<Standing | undefined> {
    const kept = serverForm(bytes);
    if (kept === undefined) return undefined;
    const fp = fingerprint(kept.subarray(0, mailHeaderLength(kept)));
    return await target.claim(identityOf(fp, kept.length, row.modified), row.key, signal);
  }

  async #keep(item: RestoreItem, target: RestoreTarget, standing: Standing, signal: AbortSignal): Promise<WriteResult> {
    const verdict = this.#verdict(item, standing);
    if (verdict !== 'replaced') return { result: verdict };
    return { result: await target.setFlags(standing, flagsOf(item), signal) ? 'replaced' : 'unchanged' };
  }

  async #target(place: Place, signal: AbortSignal): Promise<RestoreTarget> {
    const known = this.#targets.get(place.path);
    if (known !== undefined) return known;
    const standing = await this.#folders.existing(place.path, signal);
    const empty = standing === undefined || standing.container || standing.status?.messages === 0;
    const target = this.#targets.get(place.path) ?? new RestoreTarget(this.#pool, place.path, empty);
    this.#targets.set(place.path, target);
    return target;
  }

  async finish(signal: AbortSignal): Promise<void> {
    for (const target of this.#targets.values()) {
      signal.throwIfAborted();
      const missing = await target.missing(signal);
      if (missing === 0) continue;
      const name = decodeModifiedUtf7(target.path);
      throw new HoldfastError('imap/restore-incomplete', 'retry',
        `The server took ${missing} mails for the folder "${name}" and does not have them. Run the restore again.`,
        { data: { missing } });
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

function flagsOf(item: RestoreItem): string {
  const { flags = [], keywords = [] } = parseMailMeta(item.row.meta);
  return canonicalFlags([...flags, ...keywords]);
}
