import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyReadyDatabase } from '../../../tests/servers/readyDatabase.ts';
import { waitUntil } from '../../../tests/servers/startProcess.ts';
import { DatabaseFolder, isAlive, type DatabaseUser } from '../testing/testDatabase.ts';
import type { Database } from '../openDatabase.ts';

const root = process.geteuid?.() === 0;
const codes = (notices: readonly { readonly code: string }[]): string[] => notices.map(({ code }) => code);

async function names(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>('select name from service_notes');
  return rows.map(({ name }) => name);
}

async function writing(user: DatabaseUser): Promise<void> {
  await waitUntil(async () => user.confirmed.length >= 20, () => `nothing was written: ${JSON.stringify(user.said)}`, 60_000);
}

test('makes a database, keeps its data, and leaves nothing running', async () => {
  await using folder = await DatabaseFolder.make();
  const first = await folder.open();
  expect(codes(first.notices)).toEqual(['database/initialised', 'database/started']);
  expect(first.database).toMatchObject({ origin: 'embedded', name: 'the embedded database' });
  await first.database.pool.query(`insert into service_notes values ('kept', 'ü')`);
  const pid = await folder.serverPid();
  expect(isAlive(pid)).toBe(true);
  await first.database.close();
  expect(isAlive(pid)).toBe(false);
  const second = await folder.open();
  expect(codes(second.notices)).toEqual(['database/started']);
  expect(await names(second.database)).toEqual(['kept']);
  await second.database.close();
});

test('the server is sealed off: no port, a password, nothing readable for others, writes reach the disk', async () => {
  await using folder = await DatabaseFolder.ready();
  const { database } = await folder.open();
  const setting = async (name: string) => (await database.pool.query<{ value: string }>('select current_setting($1) as value', [name])).rows[0]?.value;
  expect(await setting('listen_addresses')).toBe('');
  expect(await setting('fsync')).toBe('on');
  expect(await setting('synchronous_commit')).toBe('on');
  expect(await setting('data_checksums')).toBe('on');
  const hba = await readFile(join(folder.data, 'pg_hba.conf'), 'utf8');
  expect(hba.split('\n').filter((line) => /^(local|host)/.test(line)).every((line) => /scram-sha-256|reject/.test(line))).toBe(true);
  const modeOf = async (path: string) => (await stat(path)).mode & 0o077;
  expect(await modeOf(folder.data)).toBe(0);
  expect(await modeOf(join(folder.data, '..', 'password'))).toBe(0);
  expect(await modeOf(String(database.connection.host))).toBe(0);
  await database.close();
});

test('a process that is killed loses nothing confirmed; the next one takes its server over and says so', async () => {
  await using folder = await DatabaseFolder.ready();
  const user = folder.start();
  await writing(user);
  const pid = await folder.serverPid();
  await user.killed();
  expect(isAlive(pid)).toBe(true);
  const { database, notices } = await folder.open();
  expect(notices).toEqual([{ code: 'database/took-over', message: expect.stringContaining(`process ${pid}`) }]);
  expect(notices[0]?.message).toContain('left running');
  expect(await folder.serverPid()).toBe(pid);
  const there = new Set(await names(database));
  expect(user.confirmed.filter((name) => !there.has(name))).toEqual([]);
  await database.close();
  expect(isAlive(pid)).toBe(false);
});

test('processes share one server, and the last one stops it', async () => {
  await using folder = await DatabaseFolder.ready();
  const { database } = await folder.open();
  const pid = await folder.serverPid();
  const user = folder.start();
  await writing(user);
  expect(user.said.find(({ notice }) => notice !== undefined)?.notice?.message).toContain('used together');
  await database.close();
  expect(isAlive(pid)).toBe(true);
  const before = user.confirmed.length;
  await waitUntil(async () => user.confirmed.length > before, () => 'the other process writes no more');
  user.child.kill('SIGTERM');
  await user.ended;
  expect(user.said.at(-1)).toEqual({ closed: true });
  expect(isAlive(pid)).toBe(false);
});

test('processes that start at the same moment make one database and one server', async () => {
  await using folder = await DatabaseFolder.make();
  const users = [folder.start({ most: 30 }), folder.start({ most: 30 })];
  await Promise.all(users.map(({ ended }) => ended));
  for (const user of users) expect(user.said.at(-1)).toEqual({ closed: true });
  const { database } = await folder.open();
  expect((await names(database)).length).toBe(60);
  await database.close();
});

test('a server that is killed recovers: nothing confirmed is lost, and the stale pid file is removed', async () => {
  await using folder = await DatabaseFolder.ready();
  const user = folder.start();
  await writing(user);
  const pid = await folder.serverPid();
  user.child.kill('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await user.ended;
  const { database, notices } = await folder.open();
  expect(codes(notices)).toEqual(['database/stale-pid-file', 'database/started']);
  expect(notices[0]?.message).toContain(`process ${pid} is gone`);
  const there = new Set(await names(database));
  expect(user.confirmed.filter((name) => !there.has(name))).toEqual([]);
  await database.close();
});

test('a pid that is another program by now is told apart, and that program left alone', async () => {
  await using folder = await DatabaseFolder.ready();
  const first = await folder.open();
  const { uid, gid } = await stat(folder.data);
  await first.database.close();
  // As the server's own user: a server that started itself would take it for one of its kind.
  const other = spawn('sleep', ['600'], { uid, gid });
  await once(other, 'spawn');
  try {
    await writeFile(join(folder.data, 'postmaster.pid'), `${other.pid}\n${folder.data}\n1\n5432\n/nowhere\n\n1 1\nready   \n`);
    const { database, notices } = await folder.open();
    expect(codes(notices)).toEqual(['database/stale-pid-file', 'database/started']);
    expect(notices[0]?.message).toContain('another program');
    expect(isAlive(other.pid ?? 0)).toBe(true);
    await database.close();
  } finally {
    other.kill('SIGKILL');
  }
});

test('a server on another folder is not ours, whatever the pid file says', async () => {
  await using folder = await DatabaseFolder.ready();
  await using elsewhere = await DatabaseFolder.ready();
  const first = await folder.open();
  await first.database.close();
  const other = await elsewhere.open();
  const pid = await elsewhere.serverPid();
  await writeFile(join(folder.data, 'postmaster.pid'), `${pid}\n${folder.data}\n1\n5432\n/nowhere\n\n1 1\nready   \n`);
  const { database, notices } = await folder.open();
  expect(codes(notices)).toEqual(['database/stale-pid-file', 'database/started']);
  await database.close();
  expect(isAlive(pid)).toBe(true);
  expect(await names(other.database)).toEqual([]);
  await other.database.close();
});

test('a server whose process cannot be seen but whose socket answers is left alone', async () => {
  await using folder = await DatabaseFolder.ready();
  const { database } = await folder.open();
  const file = join(folder.data, 'postmaster.pid');
  const own = await readFile(file, 'utf8');
  const lines = own.split('\n');
  await writeFile(file, ['4194304', ...lines.slice(1)].join('\n'));
  await expect(folder.open()).rejects.toMatchObject({ code: 'database/used-elsewhere' });
  await writeFile(file, own);
  await database.close();
});

test('a server that breaks away is told', async () => {
  await using folder = await DatabaseFolder.ready();
  const user = folder.start({ most: 0 });
  await user.ended;
  const lost: string[] = [];
  const { database } = await folder.open({ onLost: ({ code }) => lost.push(code) });
  // One connection is asked, one is held without being asked: neither ends the process.
  const held = await database.pool.connect();
  const asked = database.pool.query('select pg_sleep(60)').catch((error: unknown) => error);
  process.kill(await folder.serverPid(), 'SIGQUIT');
  await waitUntil(async () => lost.length > 0, () => 'nobody was told');
  expect(await asked).toBeInstanceOf(Error);
  await expect(held.query('select 1')).rejects.toThrow(/connection|terminat/i);
  held.release(true);
  expect(lost).toEqual(['database/lost']);
  await database.close();
});

test('a path that is too long for a socket gets one in the temporary folder', async () => {
  await using folder = await DatabaseFolder.make();
  const deep = join(folder.path, 'a'.repeat(60), 'b'.repeat(60));
  await copyReadyDatabase(deep);
  const { database } = await folder.open({ dataDirectory: deep });
  expect(String(database.connection.host).length).toBeLessThan(90);
  expect((await stat(String(database.connection.host))).mode & 0o077).toBe(0);
  await database.close();
});

test('as root it runs as another user, also where the system has no user postgres', async (context) => {
  if (!root) context.skip('needs root, to start servers as other users');
  await using folder = await DatabaseFolder.make();
  const passwdFile = join(folder.path, 'passwd');
  await writeFile(passwdFile, (await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => !/^(postgres|holdfast):/.test(line)).join('\n'));
  const { database } = await folder.open({ passwdFile });
  const status = await readFile(`/proc/${await folder.serverPid()}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\t65534\t65534/m);
  await database.close();
  // With the user there again, the data stay with who has them.
  const again = await folder.open();
  expect(await readFile(`/proc/${await folder.serverPid()}/status`, 'utf8')).toMatch(/^Uid:\t65534/m);
  await again.database.close();
});

test('as an ordinary user it runs as that one', async (context) => {
  if (!root) context.skip('needs root, to start servers as other users');
  await using folder = await DatabaseFolder.make();
  const user = folder.start({ uid: 65534, gid: 65534 });
  await writing(user);
  expect(user.said.find(({ ready }) => ready !== undefined)).toMatchObject({ user: 65534 });
  expect(await readFile(`/proc/${await folder.serverPid()}/status`, 'utf8')).toMatch(/^Uid:\t65534/m);
  user.child.kill('SIGTERM');
  await user.ended;
  expect(user.said.at(-1)).toEqual({ closed: true });
});

test('a folder that the server\'s user cannot go through is said in a sentence', async (context) => {
  if (!root) context.skip('needs root, to start servers as other users');
  await using folder = await DatabaseFolder.make();
  const closed = join(folder.path, 'closed');
  await mkdir(closed, { mode: 0o700 });
  await expect(folder.open({ dataDirectory: join(closed, 'data') })).rejects.toThrow(/must be able to go through every folder/);
});
