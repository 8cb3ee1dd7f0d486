import assert from 'node:assert/strict';
import type { Descriptor, SourceSession } from './contract.ts';
import { modelRun, SnapshotModel, type ModelRun, type ModelRunOptions } from './snapshotModel.ts';

export { modelRun, SnapshotModel, type ModelRun, type ModelRunOptions };

/** A source that the checks may change. Each check gets a fresh one with at least three items in two folders. */
export interface ConnectorFixture {
  readonly descriptor: Descriptor;
  open(signal?: AbortSignal): Promise<SourceSession>;
  /** Puts one item more into the source. */
  add(): Promise<void>;
  /** Changes one item so that its change key differs. */
  change(): Promise<void>;
  /** Takes away one item that is not a folder. */
  remove(): Promise<void>;
  /** How long a cancelled call may take. Default 10000. */
  readonly cancelLimitMs?: number;
}

export interface ConnectorCheck {
  readonly name: string;
  run(fixture: ConnectorFixture): Promise<void>;
}

async function once(fixture: ConnectorFixture, previous?: SnapshotModel, options?: ModelRunOptions): Promise<ModelRun> {
  const session = await fixture.open(options?.signal);
  try {
    return await modelRun(session, previous, options);
  } finally {
    await session.close();
  }
}

/** Rows by what a person sees: keys may differ between two first runs. */
function picture(snapshot: SnapshotModel): string[] {
  return snapshot.sorted
    .map((row) => JSON.stringify([snapshot.pathOf(row), row.kind, row.size, row.modified, row.meta, row.outcome, row.content]))
    .sort();
}

function withCursor(snapshot: SnapshotModel, cursor: string | undefined): SnapshotModel {
  const copy = new SnapshotModel(snapshot.contents);
  for (const row of snapshot.sorted) copy.byKey.set(row.key, row);
  copy.cursor = cursor;
  return copy;
}

async function cancelled(limitMs: number, work: (signal: AbortSignal, abort: () => void) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const reason = new Error('stop, says the check');
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`cancelled and still busy after ${limitMs} ms`)), limitMs);
  });
  const outcome = work(controller.signal, () => controller.abort(reason)).then(() => undefined, (error: unknown) => error);
  const error = await Promise.race([outcome, limit]).finally(() => clearTimeout(timer));
  assert.equal(error, reason, 'a cancelled call must reject with the reason of its signal');
}

/** What every connector must do. A test runs each on a fresh fixture: `for (const check of connectorChecks) …`. */
export const connectorChecks: readonly ConnectorCheck[] = [
  {
    name: 'lists every item once, with a parent that is a folder and a kind that its descriptor knows',
    async run(fixture) {
      const { snapshot } = await once(fixture);
      assert.ok(snapshot.byKey.size >= 5, 'the fixture has too few items');
      for (const row of snapshot.byKey.values()) {
        assert.ok(row.parent === '' || snapshot.byKey.get(row.parent)?.kind === 'folder', `${row.name} has no folder`);
        assert.ok(row.kind === 'folder' || row.kind in fixture.descriptor.kinds, `unknown kind ${row.kind}`);
        assert.doesNotThrow(() => row.meta === '' || JSON.parse(row.meta), 'meta is not JSON');
        assert.equal(row.outcome, '', `${row.name} was not stored`);
      }
    },
  },
  {
    name: 'finds nothing to do in a source that did not change',
    async run(fixture) {
      const first = await once(fixture);
      const second = await once(fixture, first.snapshot);
      assert.equal(second.fetched.length, 0);
      assert.equal(second.changed, 0);
      const third = await once(fixture, second.snapshot);
      assert.equal(third.fetched.length + third.changed, 0);
    },
  },
  {
    name: 'finds what was added, changed and removed, and ends where a first run ends',
    async run(fixture) {
      const first = await once(fixture);
      await fixture.add();
      await fixture.change();
      await fixture.remove();
      const second = await once(fixture, first.snapshot);
      assert.ok(second.changed >= 3, `${second.changed} changes`);
      assert.ok(second.fetched.length <= 2, `${second.fetched.length} contents fetched for two`);
      assert.deepEqual(picture(second.snapshot), picture((await once(fixture)).snapshot));
    },
  },
  {
    name: 'fetches nothing that is stored when its cursor is lost or broken',
    async run(fixture) {
      const first = await once(fixture);
      for (const cursor of [undefined, 'nonsense', '{"version":99}']) {
        const again = await once(fixture, withCursor(first.snapshot, cursor));
        assert.equal(again.fetched.length, 0, `cursor ${String(cursor)}`);
        assert.equal(again.changed, 0, `cursor ${String(cursor)}`);
      }
    },
  },
  {
    name: 'finds in the next run at the latest what is added and changed while it runs',
    async run(fixture) {
      let added = false;
      const first = await once(fixture, undefined, {
        async onBatch() {
          if (added) return;
          added = true;
          await fixture.add();
          await fixture.change();
        },
      });
      assert.ok(added, 'the run gave no batch');
      const second = await once(fixture, first.snapshot);
      assert.deepEqual(picture(second.snapshot), picture((await once(fixture)).snapshot));
    },
  },
  {
    name: 'takes an older cursor with the snapshot that it belongs to',
    async run(fixture) {
      const first = await once(fixture);
      await fixture.add();
      const second = await once(fixture, first.snapshot);
      await fixture.remove();
      const fork = await once(fixture, first.snapshot);
      const straight = await once(fixture, second.snapshot);
      assert.deepEqual(picture(fork.snapshot), picture(straight.snapshot));
    },
  },
  {
    name: 'names an item that vanished before it was fetched',
    async run(fixture) {
      const session = await fixture.open();
      try {
        let removed = false;
        const run = await modelRun(session, undefined, {
          async onBatch(batch) {
            if (removed || !batch.some((change) => change.type === 'item' && change.item.kind !== 'folder')) return;
            removed = true;
            await fixture.remove();
          },
        });
        for (const row of run.snapshot.byKey.values()) {
          if (row.outcome !== '') assert.equal((JSON.parse(row.outcome) as { state: string }).state, 'skipped');
        }
        const next = await once(fixture, run.snapshot);
        assert.deepEqual(picture(next.snapshot), picture((await once(fixture)).snapshot));
      } finally {
        await session.close();
      }
    },
  },
  {
    name: 'ends soon and with the reason when it is cancelled, and can be closed twice',
    async run(fixture) {
      const limitMs = fixture.cancelLimitMs ?? 10_000;
      await cancelled(limitMs, (signal, abort) => once(fixture, undefined, { signal, onBatch: abort }));
      const session = await fixture.open();
      await cancelled(limitMs, async (signal, abort) => {
        abort();
        await modelRun(session, undefined, { signal });
      });
      await session.close();
      await session.close();
    },
  },
];
