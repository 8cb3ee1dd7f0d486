import { expect, test } from 'vitest';
import type { FolderState } from './cursorState.ts';
import { parseCursor } from './cursorState.ts';
import type { ListedFolder } from './folderListing.ts';
import { matchFolders, withParents } from './folderMatching.ts';

function before(number: number, path: string, more: Partial<FolderState> = {}): FolderState {
  return {
    number, path, delimiter: '/', specialUse: '', subscribed: false, container: false,
    uidValidity: 100 + number, uidNext: 10, count: 5, ...more,
  };
}

function now(path: string, uidValidity: number, mailboxId?: string): ListedFolder {
  return {
    path, delimiter: '/', specialUse: '', subscribed: false, container: false,
    status: { messages: 5, uidNext: 10, uidValidity, ...(mailboxId === undefined ? {} : { mailboxId }) },
  };
}

const yes = async (): Promise<boolean> => true;
const no = async (): Promise<boolean> => false;

test('MAILBOXID counts more than names and numbers, and needs no comparison of contents', async () => {
  const known = [before(1, 'A', { mailboxId: 'x' }), before(2, 'B', { mailboxId: 'y' })];
  const { matches, gone } = await matchFolders(known, [now('B', 900, 'x'), now('C', 102, 'z')], 3, no);
  expect(matches.map(({ number, now: { path } }) => [number, path])).toEqual([[1, 'B'], [3, 'C']]);
  expect(gone.map(({ path }) => path)).toEqual(['B']);
});

test('two folders that swapped names are recognised when their contents agree', async () => {
  const known = [before(1, 'A'), before(2, 'B')];
  const { matches, gone, nextNumber } = await matchFolders(known, [now('A', 102), now('B', 101)], 3, yes);
  expect(matches.map(({ number, now: { path } }) => [number, path])).toEqual([[1, 'B'], [2, 'A']]);
  expect([gone.length, nextNumber]).toEqual([0, 3]);
});

test('numbers that agree by chance are not enough', async () => {
  const { matches, gone } = await matchFolders([before(1, 'A')], [now('B', 101)], 2, no);
  expect(matches.map(({ number, before: old }) => [number, old])).toEqual([[2, undefined]]);
  expect(gone).toHaveLength(1);
});

test('a folder of the same name and other UIDVALIDITY stays the same folder', async () => {
  const { matches } = await matchFolders([before(1, 'A')], [now('A', 7)], 2, no);
  expect(matches.map(({ number }) => number)).toEqual([1]);
});

test('folders above that the server does not list get a row, before what they hold', () => {
  expect(withParents([now('x/y/z', 1), now('INBOX', 2)]).map(({ path, container }) => [path, container]))
    .toEqual([['INBOX', false], ['x', true], ['x/y', true], ['x/y/z', false]]);
});

test('a cursor that is not ours is none', () => {
  for (const text of [undefined, '', '{', 'null', '[]', '{"version":1}', '{"version":2,"nextNumber":1,"folders":[]}',
    '{"version":1,"nextNumber":1,"folders":[{"number":"1"}]}']) expect(parseCursor(text)).toBeUndefined();
  expect(parseCursor('{"version":1,"nextNumber":1,"folders":[]}')).toBeDefined();
});
