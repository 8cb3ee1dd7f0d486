import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../domain/index.ts';
import { SOCKET_PORT } from './runningServer.ts';
import type { ServerUser } from './serverUser.ts';

/** Where an embedded server keeps what. */
export interface ServerLayout {
  /** Programs and one folder for each major version. */
  readonly top: string;
  /** Data and password of this major version. */
  readonly folder: string;
  readonly data: string;
  /** Of the role "holdfast", for this user alone. */
  readonly passwordFile: string;
  /** What the server says before its own log is open. */
  readonly startLog: string;
}

/** Longest path of a socket that every kernel takes, without the closing zero. */
const MOST_SOCKET_BYTES = 103;

/** Of the server of one major version. */
export function layoutOf(dataDirectory: string, major: number): ServerLayout {
  const top = join(dataDirectory, 'postgres');
  const folder = join(top, String(major));
  return { top, folder, data: join(folder, 'data'), passwordFile: join(folder, 'password'), startLog: join(folder, 'start.log') };
}

/** The user that owns the data already, if there are any. */
export async function ownerOf(folder: string): Promise<number | undefined> {
  try {
    return (await stat(folder)).uid;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Private, but with another user for the server that one can go through it. */
export async function makeWayFor(user: ServerUser | undefined, ...folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (user === undefined) continue;
    // Those above it that were missing, too.
    for (let made = folder; ; made = dirname(made)) {
      await chmod(made, ((await stat(made)).mode & 0o777) | 0o011);
      if (first === undefined || made === first) break;
    }
  }
}

/** Made for the server's user alone. */
export async function makeServersFolder(folder: string, user: ServerUser | undefined): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  if (user !== undefined) await chown(folder, user.uid, user.gid);
}

/**
 * A folder that only the server's user and root can enter, short enough for a socket. In the layout, or where that path
 * is too long in the temporary folder. Errors: `database/socket-folder` (class input) where somebody else made it first.
 */
export async function socketFolderOf({ folder }: ServerLayout, user: ServerUser | undefined): Promise<string> {
  const inside = join(folder, 'run');
  const short = Buffer.byteLength(join(inside, `.s.PGSQL.${SOCKET_PORT}.lock`)) <= MOST_SOCKET_BYTES;
  const place = short ? inside : join(tmpdir(), `holdfast-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
  try {
    await makeServersFolder(place, user);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const { uid, mode } = await lstat(place);
  const wanted = user?.uid ?? process.geteuid?.();
  if (uid === wanted && (mode & 0o170_077) === 0o040_000) return place;
  throw new HoldfastError('database/socket-folder', 'input',
    `${place} does not belong to the database's user alone. See who made it, and delete it.`, { data: { place } });
}
