import { HoldfastError } from '../../domain/index.ts';

/** Who a server runs as, where that is not the service's own user. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order. The last one is on every system. */
const NAMES = ['holdfast', 'postgres', 'nobody'];

/**
 * PostgreSQL refuses to run as root, and wants its user to have a name on the system. `owner` is the user id that the
 * data belongs to already; `passwd` is the text of /etc/passwd. undefined: the service's own user does.
 * Errors: `database/no-user` (class input).
 */
export function chooseServerUser(own: number | undefined, passwd: string, owner?: number): ServerUser | undefined {
  if (own !== 0) return undefined;
  const users = usersOf(passwd);
  if (owner !== undefined && owner !== 0) {
    const known = users.find(({ uid }) => uid === owner);
    if (known !== undefined) return known;
    throw noUser(`The database belongs to user id ${owner}, which has no name on this machine.`);
  }
  const found = NAMES.map((name) => users.find((user) => user.name === name && user.uid !== 0)).find((user) => user !== undefined);
  if (found !== undefined) return found;
  throw noUser(`Root may not run PostgreSQL, and there is no user called ${NAMES.join(', ')} that could.`);
}

function usersOf(passwd: string): ServerUser[] {
  return passwd.split('\n').map((line) => line.split(':')).filter((fields) => fields.length >= 4)
    .map(([name = '', , uid = '', gid = '']) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => Number.isInteger(uid) && Number.isInteger(gid));
}

function noUser(what: string): HoldfastError {
  return new HoldfastError('database/no-user', 'input',
    `${what} Make one ("useradd --system holdfast"), run Holdfast as an ordinary user, or set DATABASE_URL to a PostgreSQL server of yours.`);
}
