/** The commands that look after keys, on a real folder repository. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CliSandbox, HOLDFAST } from './cliSandbox.ts';

interface Sheet {
  readonly slot: string;
  readonly recoveryKey: string;
  readonly retires: readonly string[];
  readonly confirmed?: boolean;
}

interface Keys {
  readonly slots: readonly { readonly slot: string; readonly kind: string; readonly inUse: boolean }[];
  readonly epochs: readonly { readonly epoch: number; readonly current: boolean }[];
}

async function sandbox(): Promise<{ box: CliSandbox; recoveryKey: string }> {
  const box = new CliSandbox();
  mkdirSync(box.path('files'));
  writeFileSync(box.path('files', 'a.txt'), 'of ada');
  const { recoveryKey } = await box.json<{ recoveryKey: string }>(['repo', 'init']);
  return { box, recoveryKey };
}

test('keys are listed, added, rotated and removed; what was backed up before and after stays readable', async () => {
  const { box } = await sandbox();
  using _ = box;
  await box.json(['backup', 'folder', box.path('files')]);
  expect(await box.json<Keys>(['key', 'list'])).toMatchObject({
    slots: [{ slot: 'operator', kind: 'operator', madeAt: null, sound: true, inUse: true }, { slot: 'recovery', kind: 'recovery', inUse: false }],
    epochs: [{ epoch: 1, madeAt: null, current: true }],
  });
  const added = await box.json<{ slot: string; keyFileMade: boolean }>(['key', 'add', '--operator', box.path('second.key')]);
  expect(added.keyFileMade).toBe(true);
  expect(statSync(box.path('second.key')).mode & 0o077).toBe(0);
  expect(await box.json(['key', 'rotate'])).toEqual({ epoch: 2 });
  writeFileSync(box.path('files', 'b.txt'), 'of bob');
  await box.json(['backup', 'folder', box.path('files')]);
  expect(await box.json<unknown[]>(['ls', 'latest', '--key-file', box.path('second.key')])).toHaveLength(2);
  expect(await box.json(['key', 'remove', added.slot])).toEqual({ slot: added.slot, epoch: 3 });
  expect((await box.run(['snapshots', '--key-file', box.path('second.key')])).code).toBe(1);
  expect(await box.json<unknown[]>(['snapshots'])).toHaveLength(2);
  expect((await box.run(['check', '--read-data'])).code).toBe(0);
  expect((await box.run(['key', 'remove', 'operator'])).stderr).toContain('key/in-use');
  expect((await box.run(['key', 'add'])).code).toBe(2);
  expect((await box.run(['key', 'list'])).stdout).toContain('epoch 3');
});

test('a new recovery key takes the place of the old one; the sheet of either is given only when it opens the repository', async () => {
  const { box, recoveryKey } = await sandbox();
  using _ = box;
  writeFileSync(box.path('old.txt'), recoveryKey);
  const old = await box.run(['key', 'recovery-sheet', '--recovery-key-file', box.path('old.txt')]);
  expect(old.code).toBe(0);
  expect(old.stdout).toContain('HOLDFAST RECOVERY SHEET');
  expect(old.stdout.replace(/\s+/g, '')).toContain(recoveryKey.split('-').slice(0, 5).join('-'));
  expect(old.stderr).toBe('');
  const made = await box.json<Sheet>(['key', 'recovery-sheet', '--new', '--retire-old']);
  expect(made).toMatchObject({ retires: ['recovery'], confirmed: false });
  const again = await box.json<Sheet>(['key', 'recovery-sheet', '--recovery-key-file', '-'], 0, { stdin: `${made.recoveryKey.toLowerCase()}\n` });
  expect(again).toMatchObject({ slot: made.slot, recoveryKey: made.recoveryKey, confirmed: true });
  const refused = await box.run(['key', 'recovery-sheet', '--recovery-key-file', box.path('old.txt')]);
  expect(refused.code).toBe(1);
  expect(refused.stderr + refused.stdout).not.toContain(recoveryKey.slice(0, 12));
  const mistyped = made.recoveryKey.replace(/^./, (first) => (first === '0' ? '1' : '0'));
  const typo = await box.run(['key', 'recovery-sheet', '--recovery-key-file', '-'], { stdin: mistyped });
  expect(typo.stderr).toContain('key/recovery-typo');
  expect(typo.stderr).not.toContain(made.recoveryKey.slice(6, 17));
  expect((await box.run(['key', 'recovery-sheet'])).code).toBe(2);
  const shown = await box.run(['key', 'add', '--recovery']);
  expect(shown.stdout).toContain('HOLDFAST RECOVERY SHEET');
  expect(readFileSync(box.path('key'), 'utf8')).toContain('holdfast-key-1');
  expect((await box.json<Keys>(['key', 'list'])).slots.filter(({ kind }) => kind === 'recovery')).toHaveLength(2);
});

/** The recovery keys whose slots are there. */
const recoverySlots = async (box: CliSandbox): Promise<string[]> =>
  (await box.json<Keys>(['key', 'list'])).slots.filter(({ kind }) => kind === 'recovery').map(({ slot }) => slot);

test('no older recovery key goes before the new one is out', async () => {
  const { box } = await sandbox();
  using _ = box;
  // What is printed is lost: the disk behind stdout is full.
  for (const command of [['key', 'recovery-sheet', '--new', '--retire-old'], ['key', 'add', '--recovery', '--retire-old']]) {
    for (const json of [[], ['--json']]) {
      const stdout = openSync('/dev/full', 'w');
      const { status } = spawnSync(HOLDFAST, [...command, ...json], { stdio: ['ignore', stdout, 'ignore'], env: box.environmentOfProcess(), timeout: 60_000 });
      closeSync(stdout);
      expect(status).toBe(1);
      expect(await recoverySlots(box)).toContain('recovery');
    }
  }
  // A person on a terminal does not type it back.
  const before = await recoverySlots(box);
  const typed = spawnSync('script', ['-qec', `${HOLDFAST} key recovery-sheet --new --retire-old`, '/dev/null'], { input: '\n', env: box.environmentOfProcess(), timeout: 60_000 });
  expect(typed.stdout.toString()).toContain('still open the repository');
  expect(typed.status).toBe(3);
  expect(await recoverySlots(box)).toEqual(expect.arrayContaining(before));
});
