import { expect } from 'vitest';
import type { Storage } from './contract.ts';
import type { ObjectLocks, VersionedObject } from './objectLocks.ts';

/** What every place with versions owes its readers: on an empty one. */
export async function expectPages(storage: Storage, locks: ObjectLocks): Promise<void> {
  const expected: string[] = [];
  for (let i = 0; i < 7; i++) {
    const name = `folder/${i}`;
    for (let put = 0; put <= i; put++) await storage.put(name, [Buffer.from(`${put}`.padEnd(put + 1))]);
    if (i % 3 === 0) await storage.delete(name);
    expected.push(`${name} ${Array.from({ length: i + 1 }, (_, n) => i + 1 - n).join()} ${i % 3 === 0}`);
  }
  const shown = ({ name, versions, deleted, deletions }: VersionedObject): string => {
    expect(deletions).toHaveLength(deleted ? 1 : 0);
    return `${name} ${versions.map(({ size }) => size).join()} ${deleted}`;
  };
  for (const limit of [1, 2, 3, 5, 1000]) {
    const found: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await locks.versions('folder/', { after, limit });
      found.push(...page.objects.map(shown));
      if (page.next === undefined) break;
      expect(page.next > (after ?? '')).toBe(true);
      after = page.next;
    }
    expect(found).toEqual(expected);
  }
  expect((await locks.versions('folder/', { after: 'folder/4' })).objects.map(({ name }) => name)).toEqual(['folder/5', 'folder/6']);
  expect((await locks.versions('folder/', { after: 'folder/45' })).objects.map(({ name }) => name)).toEqual(['folder/5', 'folder/6']);
  expect((await locks.versions('folder/5', { after: 'folder/' })).objects.map(({ name }) => name)).toEqual(['folder/5']);
  const [oldest] = (await locks.versions('folder/6')).objects[0]?.versions.slice(-1) ?? [];
  expect(Buffer.from(await locks.read('folder/6', oldest?.id ?? '')).toString()).toBe('0');
  expect(Buffer.from(await locks.read('folder/6', oldest?.id ?? '', { range: { offset: -1, length: 1 } })).toString()).toBe('0');
}
