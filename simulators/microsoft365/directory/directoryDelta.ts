import type { Call } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import type { Reply } from '../server/reply.ts';
import { answerDelta } from '../odata/delta.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import type { DirectoryGroup, DirectoryUser } from './directory.ts';

/** Members of a group that one page tells; the rest follows under the same id (fact 31). */
export const MEMBERS_PER_ENTRY = 20;
const PAGE = 100;

export function deltaUsers(call: Call): Reply {
  const wanted = idFilter(call);
  return deltaObjects(call, call.world.directory.users, 'user', wanted, ({ id }) => [id], (user) => user.document);
}

/** A group comes in pieces: each carries some of the members, those that went with @removed. */
export function deltaGroups(call: Call): Reply {
  const wanted = idFilter(call);
  const pieces = ({ id, members }: DirectoryGroup): string[] => Array.from({ length: Math.max(1, Math.ceil(members.size / MEMBERS_PER_ENTRY)) }, (_, piece) => `${id}/${piece}`);
  const document = (group: DirectoryGroup, piece: number): Properties => {
    const members = [...group.members].slice(piece * MEMBERS_PER_ENTRY, (piece + 1) * MEMBERS_PER_ENTRY).map(([id, { removed }]) => ({
      '@odata.type': call.world.directory.users.some((user) => user.id === id) ? '#microsoft.graph.user' : '#microsoft.graph.group',
      id, ...(removed ? { '@removed': { reason: 'deleted' } } : {}),
    }));
    return { ...group.document, ...(members.length > 0 ? { 'members@delta': members } : {}) };
  };
  return deltaObjects(call, call.world.directory.groups, 'group', wanted, pieces, document);
}

function deltaObjects<T extends DirectoryUser | DirectoryGroup>(
  call: Call, objects: readonly T[], type: 'user' | 'group', wanted: ReadonlySet<string> | undefined, keysOf: (object: T) => string[], document: (object: T, piece: number) => Properties,
): Reply {
  const { directory } = call.world;
  const told = objects.filter(({ id }) => wanted?.has(id) ?? true);
  return answerDelta(call, {
    type, resource: `${type}s`, life: directory.tokens, defaultPage: PAGE, mostPage: PAGE,
    sequence: () => directory.sequence,
    *entries(after) {
      const keys = told.filter(({ deleted }) => deleted === undefined).flatMap(keysOf);
      for (let place = after === undefined ? 0 : 1 - after.rank; place < keys.length; place++) yield { rank: -place, key: keys[place] ?? '' };
    },
    *changes(since) {
      const changed = told.filter(({ sequence }) => sequence > since).toSorted((a, b) => a.sequence - b.sequence);
      for (const object of changed) for (const key of object.deleted === undefined ? keysOf(object) : [object.id]) yield { sequence: object.sequence, key };
    },
    document: (key) => {
      const [id, piece = '0'] = key.split('/');
      const object = told.find((candidate) => candidate.id === id);
      return object === undefined || object.deleted !== undefined ? undefined : document(object, Number(piece));
    },
    // Fact 23: in deletedItems still, so 'changed'.
    removed: (key) => ({ id: key.split('/')[0] ?? key, '@removed': { reason: 'changed' } }),
    shape: (shown, query) => shape({ type }, shown, query),
  });
}

/** Fact 31: the only filter is a list of ids. */
function idFilter(call: Call): ReadonlySet<string> | undefined {
  const text = call.query.filterText;
  if (text === undefined) return undefined;
  const ids = text.split(/\s+or\s+/).map((part) => /^id eq '([0-9a-f-]{36})'$/i.exec(part.trim())?.[1]);
  if (ids.includes(undefined)) throw badRequest('The only filter of this query is id eq, joined by or.', 'Request_UnsupportedQuery');
  return new Set(ids as string[]);
}
