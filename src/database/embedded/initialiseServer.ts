import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../domain/index.ts';
import type { RandomBytes } from '../../runtime/index.ts';
import { renameUnlessThere } from './installPostgres.ts';
import { makeServersFolder, makeWayFor, type ServerLayout } from './serverLayout.ts';
import type { ServerUser } from './serverUser.ts';

/** The one user of the database. */
export const ROLE = 'holdfast';
const INIT_MS = 180_000;

/** What a program of PostgreSQL runs with: nothing of ours, no working folder that its user may not enter. */
export const PROGRAM_SURROUNDINGS = { cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' } } as const;

/** Makes an empty database cluster and its password. It has its name once it is whole; whoever comes first wins. */
export async function initialiseServer(
  layout: ServerLayout, program: string, user: ServerUser | undefined, random: RandomBytes, signal: AbortSignal,
): Promise<void> {
  const made = await mkdtemp(join(layout.top, 'new-data-'));
  try {
    await makeWayFor(user, made);
    const data = join(made, 'data');
    await makeServersFolder(data, user);
    const password = random(24).toString('base64url');
    await writeFile(join(made, 'password'), `${password}\n`, { mode: 0o600, flush: true });
    const copy = join(made, 'new-password');
    await writeFile(copy, `${password}\n`, { mode: 0o600 });
    if (user !== undefined) await chown(copy, user.uid, user.gid);
    await initdb(join(program, 'bin', 'initdb'), [
      `--pgdata=${data}`, `--username=${ROLE}`, `--pwfile=${copy}`, '--auth-local=scram-sha-256', '--auth-host=reject',
      '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--data-checksums', '--no-instructions',
    ], user, signal);
    await rm(copy);
    await renameUnlessThere(made, layout.folder);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function initdb(program: string, args: readonly string[], user: ServerUser | undefined, signal: AbortSignal): Promise<void> {
  const options = { ...PROGRAM_SURROUNDINGS, ...idsOf(user), timeout: INIT_MS, signal };
  await new Promise<void>((resolve, reject) => {
    execFile(program, args, options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(signal.aborted ? signal.reason : initFailed(stderr.trim() || error.message, user, error));
    });
  });
}

/** As options of a process. */
export function idsOf(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

function initFailed(said: string, user: ServerUser | undefined, cause: unknown): HoldfastError {
  if (/could not look up effective user/.test(said)) {
    return new HoldfastError('database/no-user', 'input',
      'The user that Holdfast runs as has no name on this machine, which PostgreSQL needs. Add the user (a line in /etc/passwd), or set DATABASE_URL to a PostgreSQL server of yours.', { cause });
  }
  const who = user === undefined ? '' : ` PostgreSQL runs as the user ${user.name}, who must be able to go through every folder above the data (HOLDFAST_DATA).`;
  return new HoldfastError('database/init-failed', 'input', `PostgreSQL could not make its database: ${said}.${who}`, { cause });
}
