import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connectorChecks, type ConnectorFixture } from './conformance.ts';
import type { Fetched, SourceChange, SourceItem, SourceSession } from './contract.ts';

/** What a connector of the suite's own gets wrong. */
interface Faults {
  readonly backwards?: true;
  readonly twice?: true;
  readonly size?: true;
  readonly forgetsRemoved?: true;
  readonly newKeys?: true;
  readonly ignoresCancel?: true;
  readonly skipsFetch?: true;
  readonly orphan?: true;
}

interface Entry {
  text: string;
  version: number;
}

/** Files by name in two folders; a cursor is the highest version that was listed. */
function madeUp(faults: Faults): ConnectorFixture {
  const files = new Map<string, Entry>([['a/1', { text: 'one', version: 1 }], ['a/2', { text: 'two', version: 2 }], ['b/3', { text: 'three', version: 3 }]]);
  let version = 3;
  let session = 0;
  const folder = (name: string): SourceItem => ({
    key: `f${name}`, parent: '', name, kind: 'folder', size: 0, modified: null, change: '', meta: '',
  });
  const item = (path: string, { text, version: changed }: Entry): SourceItem => ({
    key: faults.newKeys ? `m${path}${session}` : `m${path}`, parent: faults.orphan ? 'fx' : `f${path[0] ?? ''}`, name: path, kind: 'note',
    size: faults.size ? 1 : text.length, modified: null, change: String(changed), meta: '',
  });
  const open = async (): Promise<SourceSession> => {
    session++;
    let cursor: string | undefined;
    return {
      entity: { id: 'made-up', service: 'made-up', name: 'made up' },
      async *enumerate(context): AsyncGenerator<readonly SourceChange[]> {
        cursor = String(version);
        yield [{ type: 'listing', prefix: '' }, ...['a', 'b'].map((name) => ({ type: 'item', item: folder(name), content: { from: 'none' } }) as const)];
        if (faults.ignoresCancel) await wait(1000);
        else context.signal.throwIfAborted();
        const changes = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, entry]): SourceChange => ({
          type: 'item', item: item(path, entry), content: { from: 'fetch' },
        }));
        if (faults.backwards) changes.reverse();
        yield changes;
        if (faults.twice) yield changes.slice(-1);
        yield faults.forgetsRemoved ? [] : [{ type: 'listed', prefix: '' }];
      },
      cursor: () => cursor,
      async *fetch(items, context): AsyncGenerator<Fetched> {
        context.signal.throwIfAborted();
        for (const wanted of faults.skipsFetch ? items.slice(1) : items) {
          const entry = files.get(wanted.name);
          if (entry === undefined) yield { item: wanted, outcome: { state: 'skipped', code: 'vanished', message: 'It is gone.' } };
          else yield { item: wanted, bytes: Buffer.from(entry.text) };
        }
      },
      close: async () => undefined,
    };
  };
  return {
    descriptor: {
      service: 'made-up', title: 'Made up', kinds: { note: { title: 'Note', extension: '' } }, limits: [],
      search: { titles: { name: 'Name' }, format: () => undefined, fields: () => ({ author: '', recipients: '' }) },
      preview: { form: () => undefined }, onDisk: (row) => ({ name: row.key }),
    },
    open,
    add: async () => {
      files.set(`b/new${++version}`, { text: `new ${version}`, version });
    },
    change: async () => {
      files.set('a/2', { text: 'two changed', version: ++version });
    },
    remove: async () => {
      files.delete('a/1');
    },
    cancelLimitMs: 300,
  };
}

async function failing(faults: Faults): Promise<string[]> {
  const names: string[] = [];
  for (const check of connectorChecks) await check.run(madeUp(faults)).catch(() => names.push(check.name));
  return names;
}

test('a connector that keeps the contract passes every check', async () => {
  expect(await failing({})).toEqual([]);
});

const FAULTS: readonly Faults[] = [
  { backwards: true }, { twice: true }, { size: true }, { forgetsRemoved: true }, { newKeys: true }, { skipsFetch: true }, { orphan: true },
];

test.each(FAULTS)('a connector with the fault %o does not pass', async (faults) => {
  expect((await failing(faults)).length).toBeGreaterThan(0);
});

test('a connector that goes on after it was cancelled does not pass', async () => {
  const check = connectorChecks.find(({ name }) => name.includes('cancelled'));
  await expect(check?.run(madeUp({ ignoresCancel: true }))).rejects.toThrow(/still busy/);
});
