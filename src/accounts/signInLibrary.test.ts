import { getMigrations } from 'better-auth/db/migration';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyReadyDatabase } from '../../tests/servers/readyDatabase.ts';
import { openDatabase, type Database } from '../database/index.ts';
import { makeScratch, systemClock, systemRandom, type Scratch } from '../runtime/index.ts';
import { deriveServiceKeys } from './serviceKeys.ts';
import { openSignInLibrary } from './signInLibrary.ts';

let scratch: Scratch;
let database: Database;

beforeAll(async () => {
  scratch = await makeScratch('library');
  await copyReadyDatabase(scratch.path);
  database = await openDatabase({ url: undefined, dataDirectory: scratch.path, signal: new AbortController().signal });
});
afterAll(async () => {
  await database.close();
  await scratch[Symbol.asyncDispose]();
});

test('our migrations make the tables that the library expects', async () => {
  const context = { database, keys: deriveServiceKeys(Buffer.alloc(32)), locations: [], clock: systemClock, random: systemRandom };
  const nothing = async (): Promise<void> => undefined;
  const library = openSignInLibrary(context, { publicUrl: 'http://127.0.0.1', mailActivation: nothing, mailReset: nothing, confirmed: nothing, passwordReset: nothing });
  const { toBeCreated, toBeAdded } = await getMigrations(library.options);
  expect({ toBeCreated, toBeAdded }).toEqual({ toBeCreated: [], toBeAdded: [] });
});
