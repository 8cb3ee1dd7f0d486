import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { HoldfastError, messageOf } from '../domain/index.ts';

/** One step of the schema. */
export interface Migration {
  /** The name of its file without the ending: '0001-accounts'. */
  readonly name: string;
  readonly sql: string;
}

interface Applied {
  readonly name: string;
  readonly digest: string;
}

const FOLDER = join(import.meta.dirname, 'migrations');
/** Any number; whoever holds it alone changes the schema. */
const LOCK = 460_702;
/** How long one process waits for another that migrates. */
const LOCK_WAIT_MS = 300_000;

/** All steps in order. */
export function readMigrations(folder = FOLDER): Migration[] {
  return readdirSync(folder).filter((name) => name.endsWith('.sql')).toSorted()
    .map((file) => ({ name: file.slice(0, -'.sql'.length), sql: readFileSync(join(folder, file), 'utf8') }));
}

/**
 * Brings the schema up to date, one process at a time, each step in a transaction with its record; gives the names of the
 * steps that were taken. A database that has steps which are not in `migrations` is of a newer version, and refused
 * (`database/newer`), as is one whose steps were other ones (`database/migration-changed`).
 */
export async function migrate(pool: Pool, migrations: readonly Migration[] = readMigrations()): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query(`set lock_timeout = ${LOCK_WAIT_MS}`);
    await client.query('set statement_timeout = 0');
    await client.query(`select pg_advisory_lock(${LOCK})`);
    await client.query(`create table if not exists schema_steps (
      name text primary key, digest text not null, taken_at timestamptz not null default now())`);
    const { rows } = await client.query<Applied>('select name, digest from schema_steps order by name');
    const due = dueSteps(migrations, rows);
    for (const step of due) await take(client, step);
    return due.map(({ name }) => name);
  } finally {
    // The connection goes, and with it lock and settings.
    client.release(true);
  }
}

/** Whether the schema is what this version needs. */
export async function isMigrated(pool: Pool, migrations: readonly Migration[] = readMigrations()): Promise<boolean> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from schema_steps where name = any($1)', [migrations.map(({ name }) => name)]);
  return rows[0]?.count === migrations.length;
}

function dueSteps(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const known = new Map(migrations.map((step) => [step.name, digestOf(step)]));
  for (const { name, digest } of applied) {
    if (!known.has(name)) {
      throw new HoldfastError('database/newer', 'input',
        `The database was made by a newer version of Holdfast (it has "${name}"). Start that version, or go back to a backup of the database from before it.`, { data: { name } });
    }
    if (known.get(name) !== digest) {
      throw new HoldfastError('database/migration-changed', 'never',
        `The step "${name}" of the database's schema is another one than was taken there. Use the release that made the database.`, { data: { name } });
    }
  }
  const taken = new Set(applied.map(({ name }) => name));
  return migrations.filter(({ name }) => !taken.has(name));
}

async function take(client: PoolClient, step: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(step.sql);
    await client.query('insert into schema_steps (name, digest) values ($1, $2)', [step.name, digestOf(step)]);
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback');
    throw new HoldfastError('database/migration-failed', 'never',
      `The step "${step.name}" of the database's schema failed (${messageOf(cause)}). Nothing was changed. Please report it.`, { data: { name: step.name }, cause });
  }
}

function digestOf({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex');
}
