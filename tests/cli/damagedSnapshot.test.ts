import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CliSandbox } from './cliSandbox.ts';

interface Snapshot {
  readonly id: string;
}

async function backUp(sandbox: CliSandbox, content: string): Promise<string> {
  writeFileSync(sandbox.path('tree', 'file'), content);
  return (await sandbox.json<Snapshot>(['backup', 'folder', sandbox.path('tree'), '--init'])).id;
}

function damage(sandbox: CliSandbox, folder: 'snapshots' | 'seals', id: string): void {
  const top = sandbox.path('repo', folder);
  const [tag = ''] = readdirSync(top);
  const path = join(top, tag, id);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
  writeFileSync(path, bytes);
}

test.each(['snapshots', 'seals'] as const)('a damaged object under %s hides one snapshot; the others are listed, compared and restored', async (folder) => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree'));
  const ids = [await backUp(sandbox, 'one'), await backUp(sandbox, 'two'), await backUp(sandbox, 'three')];
  const [first = '', second = '', third = ''] = ids;
  damage(sandbox, folder, third);
  const warning = new RegExp(`^warning: The stored object ${folder}/[0-9a-f]+/${third} is damaged: .* \\[repository/damaged\\]$`, 'm');

  expect((await sandbox.json<Snapshot[]>(['snapshots'], 3)).map(({ id }) => id)).toEqual([first, second]);
  expect((await sandbox.run(['snapshots'])).stderr).toMatch(warning);
  expect(await sandbox.json(['days'], 3)).toMatchObject([{ snapshots: 2 }]);
  expect(await sandbox.json(['diff', first, second])).toMatchObject([{ change: 'changed', path: 'file' }]);
  expect(await sandbox.run(['ls', second])).toMatchObject({ code: 0, stderr: expect.stringMatching(warning) });
  await sandbox.json(['restore', 'folder', second, '--to', sandbox.path('to')]);
  expect(readFileSync(sandbox.path('to', 'file'), 'utf8')).toBe('two');

  for (const named of ['latest', third]) {
    const said = await sandbox.run(['restore', 'folder', named, '--to', sandbox.path('other')]);
    expect(said).toMatchObject({ code: 1, stderr: expect.stringContaining(`/${third} is damaged`) });
    if (named === 'latest') expect(said.stderr).toContain(`The one before is ${second}.`);
  }
  const next = await backUp(sandbox, 'four');
  await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('last')]);
  expect(readFileSync(sandbox.path('last', 'file'), 'utf8')).toBe('four');
  expect((await sandbox.json<Snapshot[]>(['snapshots'], 3)).map(({ id }) => id)).toEqual([first, second, next]);
});
