import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource } from './openSource.ts';
import { scratchFolder } from './testTree.ts';

test('the entity is named by the absolute path', async () => {
  const root = scratchFolder();
  const session = await openSource({ path: `${root}/./x/..` });
  expect(session.entity).toEqual({ id: `folder:${root}`, service: 'folder', name: basename(root) });
  expect(session.cursor()).toBeUndefined();
  expect((await openSource({ path: '/' })).entity).toEqual({ id: 'folder:/', service: 'folder', name: '/' });
});

test('a missing path and a file are refused with a sentence', async () => {
  const root = scratchFolder();
  await expect(openSource({ path: join(root, 'no') })).rejects.toMatchObject({ code: 'folder/not-found' });
  writeFileSync(join(root, 'file'), '');
  await expect(openSource({ path: join(root, 'file') })).rejects.toMatchObject({ code: 'folder/not-a-directory' });
});
