import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fromFailure, toFailure } from '../../src/catalog/failures.ts';
import { row, snapshotOf } from '../../src/catalog/testing/model.ts';
import { InThread } from '../../src/catalog/testing/scratch.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { scratch } from './fuzzWorld.ts';

const DIRECTORY = join(scratch, 'catalog');
/** As InThread names the first cache of a directory. */
const FILE = join(DIRECTORY, `${'0'.repeat(64)}.1.0.sqlite`);

function empty(): void {
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
}

/** Two snapshots of a folder with some items, indexed, as one file. */
function sample(): Buffer {
  empty();
  using catalog = new InThread(DIRECTORY);
  const folder = row({ key: 'F', kind: 'folder', name: 'Folder' });
  const items = (text: string) => Array.from({ length: 8 }, (_, i) => row({ key: `k${i}`, parent: 'F', kind: 'mail', name: `${text} ${i}`, modified: 1e12 + i * 1000 }));
  const [first, second] = ['one', 'two'].map((text, i) => snapshotOf(i, new Map([folder, ...items(text)].map((one) => [one.key, one]))));
  if (!first || !second) throw new Error('no snapshot');
  catalog.add(first, undefined);
  catalog.add(second, first);
  for (let group = catalog.ask('pendingGroup', undefined); group; group = catalog.ask('pendingGroup', group.last)) {
    const found = catalog.ask('pending', group.last, 0, 100);
    catalog.ask('index', found.map(({ version, row: { name, modified, change } }) =>
      ({ version, signature: `${name}${change}`, date: modified, name, authors: 'ann', recipients: '', text: 'some words', files: '' })));
  }
  // What is in the journal would be no part of the file.
  const db = new DatabaseSync(FILE);
  db.exec('pragma wal_checkpoint(truncate)');
  db.close();
  return readFileSync(FILE);
}

/** A question of each kind; what is damaged is made anew and then has nothing to say. */
function ask(catalog: InThread): void {
  const [first = '', second = ''] = catalog.ask('snapshots');
  catalog.ask('page', first, 'F', { limit: 5 });
  catalog.ask('history', 'k1');
  catalog.ask('diff', first, second, undefined, 10);
  catalog.ask('walk', second, '', 10);
  catalog.ask('searchStatus');
  catalog.ask('search', { words: 'some words', folder: 'Folder' }, { limit: 5 });
  catalog.ask('search', { name: 'o*' }, { limit: 5, snapshot: first });
  catalog.ask('drop', [first]);
}

export const catalogTargets: readonly FuzzTarget[] = [
  {
    // A cache: whoever is told that it is damaged, or that SQLite cannot answer, fills another one. What must not be is anything else.
    name: 'catalog', samples: [sample()], codes: ['catalog/damaged', 'catalog/no-snapshot', 'catalog/failed'],
    run: (input) => {
      empty();
      writeFileSync(FILE, input);
      try {
        using catalog = new InThread(DIRECTORY);
        ask(catalog);
      } catch (error) {
        throw error instanceof Error && 'errcode' in error ? fromFailure(toFailure(error)) : error;
      }
    },
  },
];
