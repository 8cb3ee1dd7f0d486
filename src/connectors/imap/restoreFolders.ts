import { HoldfastError, isHoldfastError } from '../../domain/index.ts';
import type { RestoreItem, RestoreMode } from '../contract.ts';
import type { ConnectionPool } from './connectionPool.ts';
import { parseFolderMeta } from './folderItem.ts';
import { listFolders, type ListedFolder } from './folderListing.ts';
import type { ImapConnection } from './imapConnection.ts';
import { mailbox } from './mailboxCommands.ts';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from './modifiedUtf7.ts';

/** Where a folder of the backup goes. */
export interface Place {
  /** As the server spells it. */
  readonly path: string;
  /** The last name could not be kept: it holds the server's separator, or is taken. */
  readonly renamed: boolean;
}

interface Known {
  readonly folders: Map<string, ListedFolder>;
  readonly bySpecialUse: ReadonlyMap<string, string>;
  readonly prefix: string;
  readonly delimiter: string;
}

/** Maps folders of the backup to folders of the destination, and makes those that are missing. */
export class RestoreFolders {
  readonly #pool: ConnectionPool;
  readonly #mode: RestoreMode;
  readonly #topName: string;
  readonly #places = new Map<string, Place>();
  readonly #owners = new Map<string, string>();
  readonly #creating = new Map<string, Promise<void>>();
  /** Folders that hold folders only: servers make them with the first of those. */
  readonly #containers = new Set<string>();
  #known: Promise<Known> | undefined;

  constructor(pool: ConnectionPool, mode: RestoreMode, topName: string) {
    this.#pool = pool;
    this.#mode = mode;
    this.#topName = topName;
  }

  async #load(signal: AbortSignal): Promise<Known> {
    this.#known ??= this.#pool.useAgain(undefined, signal, async (connection) => {
      const listed = await listFolders(connection, signal);
      const { prefix, delimiter } = connection.namespace;
      return {
        folders: new Map(listed.map((folder) => [folder.path, folder])),
        bySpecialUse: new Map(listed.filter(({ specialUse }) => specialUse !== '').map((one) => [one.specialUse, one.path])),
        prefix, delimiter: delimiter ?? listed.find((folder) => folder.delimiter !== null)?.delimiter ?? '',
      };
    }).catch((error: unknown) => {
      this.#known = undefined;
      throw error;
    });
    return await this.#known;
  }

  /** The folder itself for a folder's item. */
  async placeOfFolder(item: RestoreItem, signal: AbortSignal): Promise<Place> {
    const known = await this.#load(signal);
    return this.#place(known, [...item.path, item.row.name], parseFolderMeta(item.row.meta).specialUse);
  }

  /** The folder that a mail goes to. */
  async placeOfMail(item: RestoreItem, signal: AbortSignal): Promise<Place> {
    const known = await this.#load(signal);
    return this.#place(known, item.path.length === 0 ? ['INBOX'] : item.path, undefined);
  }

  #place(known: Known, names: readonly string[], specialUse: string | undefined): Place {
    const identity = names.join('\0');
    const decided = this.#places.get(identity);
    if (decided !== undefined) return decided;
    const place = this.#decide(known, names, specialUse, identity);
    this.#places.set(identity, place);
    return place;
  }

  #decide(known: Known, names: readonly string[], specialUse: string | undefined, identity: string): Place {
    const name = names.at(-1) ?? '';
    if (this.#mode !== 'separate') {
      if (names.length === 1 && name.toUpperCase() === 'INBOX') return { path: 'INBOX', renamed: false };
      const own = specialUse === undefined ? undefined : known.bySpecialUse.get(specialUse);
      if (own !== undefined) return { path: own, renamed: false };
    }
    const above = names.length > 1 ? this.#place(known, names.slice(0, -1), undefined).path : this.top(known);
    const start = above === undefined ? known.prefix : above + (known.delimiter === '' ? '-' : known.delimiter);
    const possible = possibleName(name, known.delimiter);
    for (let number = 1; ; number++) {
      const path = start + encodeModifiedUtf7(number === 1 ? possible : `${possible} (${number})`);
      const owner = this.#owners.get(path);
      if (owner !== undefined && owner !== identity) continue;
      this.#owners.set(path, identity);
      return { path, renamed: number > 1 || possible !== name };
    }
  }

  /** The new folder that everything goes below; undefined when things go back to where they were. */
  top(known: Pick<Known, 'prefix' | 'delimiter'>): string | undefined {
    if (this.#mode !== 'separate') return undefined;
    return known.prefix + encodeModifiedUtf7(possibleName(this.#topName, known.delimiter));
  }

  /** What stands at the destination under that path, undefined when nothing does. */
  async existing(path: string, signal: AbortSignal): Promise<ListedFolder | undefined> {
    return (await this.#load(signal)).folders.get(path);
  }

  /** A folder that could hold no mail is not made by itself, as it could then. It will be 'made' with the first one below it. */
  async leaveToServer(path: string, signal: AbortSignal): Promise<'made' | 'there'> {
    this.#containers.add(path);
    return await this.existing(path, signal) === undefined ? 'made' : 'there';
  }

  /** Makes the folder and those above it where they are missing. Throws 'imap/no-folder' (never) when the server refuses. */
  async ensure(path: string, subscribed: boolean, signal: AbortSignal): Promise<'made' | 'there'> {
    const known = await this.#load(signal);
    const standing = known.folders.get(path);
    if (standing !== undefined && !standing.container) return 'there';
    const running = this.#creating.get(path);
    if (running !== undefined) {
      await running;
      return 'there';
    }
    const making = this.#make(known, path, subscribed, signal);
    this.#creating.set(path, making);
    try {
      await making;
    } finally {
      this.#creating.delete(path);
    }
    return 'made';
  }

  async #make(known: Known, path: string, subscribed: boolean, signal: AbortSignal): Promise<void> {
    const at = known.delimiter === '' ? -1 : path.lastIndexOf(known.delimiter);
    const above = path.slice(0, Math.max(at, 0));
    // A namespace such as "INBOX." ends where its folder INBOX, which always stands, begins.
    const missing = above !== '' && above.length >= known.prefix.length && !known.folders.has(above);
    const makeAbove = async (): Promise<unknown> => await this.ensure(above, above === this.top(known), signal);
    if (missing && !this.#containers.has(above)) await makeAbove();
    const listed = subscribed || path === this.top(known);
    const make = async (): Promise<void> =>
      await this.#pool.useAgain(undefined, signal, async (connection) => await createFolder(connection, path, listed, signal));
    try {
      await make();
    } catch (error) {
      if (!missing || !this.#containers.delete(above) || !isHoldfastError(error) || error.code !== 'imap/no-folder') throw error;
      // A server that makes no folder above by itself.
      await makeAbove();
      await make();
    }
    known.folders.set(path, {
      path, delimiter: known.delimiter || null, specialUse: '', subscribed, container: false,
      status: { messages: 0, uidNext: 1, uidValidity: 0 },
    });
  }
}

async function createFolder(
  connection: ImapConnection, path: string, subscribed: boolean, signal: AbortSignal,
): Promise<void> {
  try {
    await connection.command('CREATE', [mailbox(path)], {}, signal);
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'imap/refused') throw error;
    // Perhaps it was made meanwhile, by someone else or by a call whose answer was lost.
    const now = (await listFolders(connection, signal)).find((folder) => folder.path === path);
    if (now === undefined || now.container) {
      const message = `The folder "${decodeModifiedUtf7(path)}" can not be made. ${error.message}`;
      throw new HoldfastError('imap/no-folder', 'never', message, { cause: error });
    }
  }
  if (subscribed) {
    await connection.command('SUBSCRIBE', [mailbox(path)], {}, signal).catch((error: unknown) => {
      // A folder that is not subscribed is whole all the same.
      if (!isHoldfastError(error) || error.code !== 'imap/refused') throw error;
    });
  }
}

function possibleName(name: string, delimiter: string): string {
  // oxlint-disable-next-line no-control-regex -- no server takes them
  const clean = (delimiter === '' ? name : name.replaceAll(delimiter, '_')).replaceAll(/[\x00-\x1f\x7f]/g, '_');
  return clean === '' ? '_' : clean;
}
