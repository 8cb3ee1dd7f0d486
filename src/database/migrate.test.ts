import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pool } from 'pg';
import { startPostgres, type PostgresServer } from '../../tests/servers/postgres.ts';
import { isMigrated, migrate, readMigrations, type Migration } from './migrate.ts';
import { openDatabase, type Database } from './openDatabase.ts';
import { makePool, parseDatabaseUrl } from './pool.ts';
import { DatabaseFolder } from './testing/testDatabase.ts';

const signal = new AbortController().signal;
const STEPS: Migration[] = [
  { name: '0001-first', sql: 'create table first (id int primary key); create table other (id int);' },
  { name: '0002-second', sql: 'alter table first add column name text;' },
];

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server.stop();
});

/** Both origins of the one handle. */
describe.each(['embedded', 'url'] as const)('a database of origin %s', (origin) => {
  let folder: DatabaseFolder;
  let database: Database;
  let count = 0;

  beforeAll(async () => {
    folder = await (origin === 'embedded' ? DatabaseFolder.ready() : DatabaseFolder.make());
    database = await openDatabase({ url: origin === 'url' ? await server.createDatabase('main') : undefined, dataDirectory: folder.path, signal });
  });
  afterAll(async () => {
    await database.close();
    await folder[Symbol.asyncDispose]();
  });

  /** An empty database beside the main one. */
  async function empty(): Promise<() => Pool> {
    const name = `empty${++count}`;
    await database.pool.query(`create database ${name}`);
    const connection = database.connection.connectionString === undefined
      ? { ...database.connection, database: name }
      : { connectionString: database.connection.connectionString.replace(/\/main$/, `/${name}`) };
    return () => makePool(connection, () => undefined);
  }

  test('opens with the whole schema', async () => {
    expect(database.origin).toBe(origin);
    expect(await isMigrated(database.pool)).toBe(true);
    expect(await migrate(database.pool)).toEqual([]);
    const { rows } = await database.pool.query<{ name: string }>('select name from schema_steps order by name');
    expect(rows.map(({ name }) => name)).toEqual(readMigrations().map(({ name }) => name));
  });

  test('int8, count and sum are numbers, and one that is too large fails', async () => {
    const { rows } = await database.pool.query('select 5000000499::int8 as a, count(*) as b, sum(x) as c, avg(x) as d from (values (1::int8), (2)) as v(x)');
    expect(rows).toEqual([{ a: 5_000_000_499, b: 2, c: 3, d: 1.5 }]);
    await expect(database.pool.query('select 9007199254740993::int8 as a')).rejects.toMatchObject({ code: 'database/number-too-large' });
    // The connection is good for the next question.
    expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('typed questions give camel case, dates and numbers', async () => {
    await database.query.insertInto('accounts').values({ id: 'a1', company: 'Café', location: 'local' }).execute();
    const [row] = await database.query.selectFrom('accounts').selectAll().execute();
    expect(row).toMatchObject({ id: 'a1', company: 'Café', location: 'local', createdAt: expect.any(Date) });
    await database.query.deleteFrom('accounts').execute();
  });

  test('the audit log only grows', async () => {
    await database.pool.query(`insert into audit_entries (account_id, seq, at, kind, actor_name, digest) values ('a1', 1, now(), 'x', 'x', '')`);
    for (const change of ['delete from audit_entries', `update audit_entries set kind = 'x'`, 'truncate audit_entries']) {
      await expect(database.pool.query(change)).rejects.toThrow('the audit log only grows');
    }
  });

  test('steps are taken once, by whichever of several processes comes first', async () => {
    const open = await empty();
    const pools = [open(), open(), open(), open()];
    try {
      const taken = await Promise.all(pools.map((pool) => migrate(pool, STEPS)));
      expect(taken.flat()).toEqual(['0001-first', '0002-second']);
      expect((await pools[0]!.query('select count(name) as named from first')).rows).toEqual([{ named: 0 }]);
    } finally {
      for (const pool of pools) await pool.end();
    }
  });

  test('a step that fails leaves nothing, and is taken when it is mended', async () => {
    const pool = (await empty())();
    try {
      const broken = [STEPS[0]!, { name: '0002-second', sql: 'create table half (id int); select 1/0;' }];
      await expect(migrate(pool, broken)).rejects.toMatchObject({ code: 'database/migration-failed', message: expect.stringContaining('division by zero') });
      expect((await pool.query(`select to_regclass('half') as half`)).rows).toEqual([{ half: null }]);
      expect(await isMigrated(pool, STEPS)).toBe(false);
      expect(await migrate(pool, STEPS)).toEqual(['0002-second']);
      expect(await isMigrated(pool, STEPS)).toBe(true);
    } finally {
      await pool.end();
    }
  });

  test('a newer database, and one of other steps, are refused', async () => {
    const pool = (await empty())();
    try {
      await migrate(pool, STEPS);
      await expect(migrate(pool, STEPS.slice(0, 1))).rejects.toMatchObject({ code: 'database/newer' });
      await expect(migrate(pool, [STEPS[0]!, { ...STEPS[1]!, sql: 'select 1;' }])).rejects.toMatchObject({ code: 'database/migration-changed' });
    } finally {
      await pool.end();
    }
  });
});

test('an address that is none is refused without citing it', () => {
  for (const url of ['mysql://u:secret-pw@h/d', 'postgresql//u:secret-pw@h', 'secret-pw', 'postgres://u:secret-pw@h:port/d']) {
    expect(() => parseDatabaseUrl(url)).toThrow(expect.objectContaining({ code: 'database/bad-url', message: expect.not.stringContaining('secret') }));
  }
  expect(parseDatabaseUrl('postgresql://u:secret-pw@db.example:6543/holdfast').name).toBe('db.example:6543/holdfast');
});

test('a server that is not there is told after some tries', async () => {
  const error = openDatabase({ url: 'postgresql://u:p@127.0.0.1:1/x', dataDirectory: '/nonexistent', signal: AbortSignal.timeout(60_000) });
  await expect(error).rejects.toMatchObject({ code: 'database/unreachable', retryClass: 'retry' });
});

test('a password that is wrong is told without it, and not tried again', async () => {
  const url = new URL(await server.createDatabase('locked'));
  url.password = 'secret-guess';
  const error = await openDatabase({ url: url.href, dataDirectory: '/nonexistent', signal }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'database/unreachable', retryClass: 'input' });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret-guess');
});
