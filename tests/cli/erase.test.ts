/** Erasing items and removing an entity from the command line, on a real folder repository. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certificateHolds, readKeyFile, Repository, type ErasureCertificate } from '../../src/repository/index.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { CliSandbox } from './cliSandbox.ts';

type Certificate = ErasureCertificate & { readonly file: string };

async function sandbox(): Promise<{ box: CliSandbox; entity: string }> {
  const box = new CliSandbox();
  mkdirSync(box.path('files', 'private'), { recursive: true });
  writeFileSync(box.path('files', 'a.txt'), 'of ada');
  writeFileSync(box.path('files', 'private', 'letter.txt'), 'a letter of ada');
  writeFileSync(box.path('files', 'private', 'other.txt'), 'another letter');
  await box.json(['repo', 'init']);
  for (const text of ['one', 'two']) {
    writeFileSync(box.path('files', 'b.txt'), text);
    await box.json(['backup', 'folder', box.path('files')]);
  }
  return { box, entity: `folder:${box.path('files')}` };
}

const pathsIn = async (box: CliSandbox, snapshot: string): Promise<string[]> =>
  (await box.json<{ path: string }[]>(['ls', snapshot, '--recursive'])).map(({ path }) => path).toSorted();

function catalogsIn(box: CliSandbox): string[] {
  const folder = box.path('cache', 'repositories');
  return readdirSync(folder, { recursive: true }).map(String).filter((name) => name.endsWith('.sqlite')).map((name) => join(folder, name));
}

test('an item leaves every snapshot by its path, with a certificate that the repository signed; caches are deleted', async () => {
  const { box, entity } = await sandbox();
  using _ = box;
  await box.json(['days']);
  expect(catalogsIn(box)).toHaveLength(1);
  expect((await box.run(['erase', '--entity', entity, '--path', 'private/letter.txt'])).code).toBe(2);
  expect((await box.run(['erase', '--entity', entity, '--yes'])).code).toBe(2);
  expect((await box.run(['erase', '--entity', entity, '--path', 'nothing', '--yes', '--certificate', box.path('no.json')])).stderr).toContain('erase/no-item');
  const [, letter] = await box.json<{ id: string; path: string }[]>(['ls', 'latest', 'private']).then(([first, second]) => [second, first]);
  const said = await box.json<Certificate>([
    'erase', '--entity', entity, '--item', letter?.id ?? '', '--yes', '--names', 'plain', '--certificate', box.path('plain.json'),
  ]);
  expect(said).toMatchObject({ format: 'holdfast-erasure-1', entity, names: 'plain', pending: [], items: [{ id: letter?.id, names: ['letter.txt'], versions: 1 }] });
  expect(said.snapshots).toHaveLength(2);
  expect(said.packsDeleted).toBeGreaterThan(0);
  expect(catalogsIn(box)).toEqual([]);
  const stored = JSON.parse(readFileSync(said.file, 'utf8')) as ErasureCertificate;
  expect(statSync(said.file).mode & 0o077).toBe(0);
  const storage = await FileStorage.open(box.path('repo'));
  const { context } = await Repository.open(storage, readKeyFile(box.path('key')).key, { cacheDirectory: box.path('other') });
  expect(certificateHolds(context, stored)).toBe(true);
  expect(certificateHolds(context, { ...stored, blobsErased: 0 })).toBe(false);
  const snapshots = await box.json<{ id: string }[]>(['snapshots']);
  expect(snapshots).toHaveLength(2);
  for (const { id } of snapshots) expect(await pathsIn(box, id)).toEqual(['a.txt', 'b.txt', 'private', 'private/other.txt']);
  expect((await box.run(['check', '--read-data'])).code).toBe(0);

  const hashed = await box.json<Certificate>(['erase', '--entity', entity, '--path', 'private', '--yes', '--certificate', box.path('hashed.json')]);
  expect(hashed.items).toHaveLength(2);
  expect(readFileSync(hashed.file, 'utf8')).not.toMatch(/other\.txt|private|folder:/);
  expect(await pathsIn(box, 'latest')).toEqual(['a.txt', 'b.txt']);
  // The source still has them.
  await box.json(['backup', 'folder', box.path('files')]);
  expect(await pathsIn(box, 'latest')).toContain('private/letter.txt');
  expect((await box.run(['check', '--read-data'])).code).toBe(0);
  const again = await box.run(['erase', '--entity', entity, '--path', 'a.txt', '--yes', '--certificate', box.path('text.json')]);
  expect(again.stdout).toContain('the next backup stores them again');
  expect((await box.run(['erase', '--entity', entity, '--path', 'a.txt', '--yes', '--certificate', box.path('text.json')])).stderr).toContain('certificate-exists');
});

test('what a search finds is shown first, and leaves every snapshot with all its versions', { timeout: 240_000 }, async () => {
  const { box, entity } = await sandbox();
  using _ = box;
  const command = ['erase', '--entity', entity, '--query', 'letter ada'];
  const dry = await box.json<{ items: { id: string; names: string[]; versions: number }[]; snapshots: number }>([...command, '--dry-run']);
  expect(dry).toMatchObject({ dryRun: true, snapshots: 2, items: [{ names: ['letter.txt'], versions: 1 }] });
  expect(await pathsIn(box, 'latest')).toContain('private/letter.txt');
  expect((await box.run([...command, '--dry-run'])).stdout).toContain('letter.txt');
  expect((await box.run(['erase', '--entity', entity, '--query', 'nowhere', '--yes'])).stderr).toContain('cli/no-hit');
  expect((await box.run([...command, '--path', 'private', '--yes'])).stderr).toContain('usage/no-selection');
  const said = await box.json<Certificate>([...command, '--folder', 'private', '--yes', '--names', 'plain', '--certificate', box.path('found.json')]);
  expect(said).toMatchObject({ items: [{ id: dry.items[0]?.id, names: ['letter.txt'] }], backupsInterrupted: 0, pending: [] });
  for (const { id } of await box.json<{ id: string }[]>(['snapshots'])) expect(await pathsIn(box, id)).not.toContain('private/letter.txt');
  expect((await box.run([...command, '--yes'])).stderr).toContain('cli/no-hit');
  expect((await box.run(['check', '--read-data'])).code).toBe(0);
});

test('a certificate that cannot be written stops an erasure before it begins; what cannot be tidied up afterwards hides none', { timeout: 120_000 }, async () => {
  const { box, entity } = await sandbox();
  using _ = box;
  const ids = async (): Promise<string[]> => (await box.json<{ id: string }[]>(['snapshots'])).map(({ id }) => id);
  const before = await ids();
  const command = ['erase', '--entity', entity, '--path', 'private/letter.txt', '--yes', '--certificate'];
  expect((await box.run([...command, box.path('none', 'there.json')])).stderr).toContain('erase/certificate-unwritable');
  expect(await ids()).toEqual(before);
  expect((await box.run(['erase', '--entity', entity, '--path', 'nothing', '--yes', '--certificate', box.path('no.json')])).code).toBe(1);
  expect(existsSync(box.path('no.json'))).toBe(false);
  const [repository = ''] = readdirSync(box.path('cache', 'repositories'));
  // Whatever it is, it cannot be deleted as a file.
  mkdirSync(box.path('cache', 'repositories', repository, 'index', 'stuck.idx'), { recursive: true });
  // A run that was killed leaves an empty one.
  writeFileSync(box.path('kept.json'), '');
  const said = await box.run([...command, box.path('kept.json')]);
  expect({ code: said.code, stderr: said.stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('erase/untidy') as string });
  expect(JSON.parse(readFileSync(box.path('kept.json'), 'utf8'))).toMatchObject({ pending: [], snapshots: [{ id: before[0] }, { id: before[1] }] });
  expect(await ids()).not.toEqual(before);
  rmSync(box.path('cache', 'repositories', repository, 'index', 'stuck.idx'), { recursive: true });
  const full = await box.json<Certificate>(['erase', '--entity', entity, '--item', Buffer.from('a.txt').toString('base64url'), '--yes', '--certificate', '/dev/full'], 3);
  expect(full).toMatchObject({ file: null, items: [{ versions: 1 }] });
});

test('what a search chose is finished by the ids that it told first', { timeout: 120_000 }, async () => {
  const { box, entity } = await sandbox();
  using _ = box;
  const erasing = ['erase', '--entity', entity, '--query', 'letter ada', '--yes', '--certificate'];
  const list = box.path('one.json.items');
  const said = await box.run([...erasing, box.path('one.json')]);
  expect(said.stderr).toContain(`--items-file ${list}`);
  expect(existsSync(list)).toBe(false);
  const ids = Buffer.from('private\0letter.txt').toString('base64url');
  expect(said.stderr).not.toContain(ids);
  writeFileSync(list, 'no id\n');
  expect((await box.run(['erase', '--entity', entity, '--items-file', list, '--yes'])).stderr).toContain('usage/no-items');
  writeFileSync(list, `${ids}\n`);
  // It knows that this is the same erasure, though no snapshot has the item any more.
  const again = await box.json<Certificate>(['erase', '--entity', entity, '--items-file', list, '--yes', '--names', 'plain', '--certificate', box.path('two.json')]);
  expect(again.items).toEqual([{ id: ids, names: [], versions: 0 }]);
});

test('the removal of an entity that was killed after its keys went is finished by its id', async () => {
  const { box, entity } = await sandbox();
  using _ = box;
  const tags = readdirSync(box.path('repo', 'entities'));
  for (const folder of ['seals', 'snapshots', 'entities']) rmSync(box.path('repo', folder, tags[0] ?? ''), { recursive: true });
  expect(await box.json(['entity', 'remove', entity, '--yes'])).toMatchObject({ entity });
  expect(readdirSync(box.path('repo'), { recursive: true }).map(String).filter((name) => name.includes(tags[0] ?? '-') && statSync(box.path('repo', name)).isFile())).toEqual([]);
  expect((await box.run(['entity', 'remove', entity, '--yes'])).stderr).toContain('cli/no-entity');
});

test('an entity is removed with its keys; another one stays whole, and a later backup begins anew', async () => {
  const { box, entity } = await sandbox();
  using _ = box;
  mkdirSync(box.path('more'));
  writeFileSync(box.path('more', 'a.txt'), 'of bob');
  await box.json(['backup', 'folder', box.path('more')]);
  expect((await box.run(['entity', 'remove', entity])).stderr).toContain('usage/not-confirmed');
  const [repository = ''] = readdirSync(box.path('cache', 'repositories'));
  // Whatever it is, it cannot be deleted as a file: the result is told all the same.
  const stuck = box.path('cache', 'repositories', repository, 'index', 'stuck.idx');
  mkdirSync(stuck, { recursive: true });
  const removed = await box.run(['entity', 'remove', entity, '--yes', '--json']);
  expect({ code: removed.code, said: JSON.parse(removed.stdout), stderr: removed.stderr })
    .toMatchObject({ code: 3, said: { entity, snapshotsRemoved: 2 }, stderr: expect.stringContaining('entity/untidy') as string });
  rmSync(stuck, { recursive: true });
  expect(await box.json<unknown[]>(['snapshots'])).toHaveLength(1);
  expect((await box.run(['check', '--read-data'])).code).toBe(0);
  expect((await box.run(['entity', 'remove', entity, '--yes'])).stderr).toContain('cli/no-entity');
  rmSync(box.path('files', 'private'), { recursive: true });
  await box.json(['backup', 'folder', box.path('files')]);
  expect(await box.json<unknown[]>(['snapshots'])).toHaveLength(2);
  expect(existsSync(box.path('repo', 'config'))).toBe(true);
  expect((await box.run(['check', '--read-data'])).code).toBe(0);
});
