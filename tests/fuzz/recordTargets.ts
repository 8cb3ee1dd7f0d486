import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { deriveKey, formatRecoveryKey, makeKeyFile, parseRecoveryKey, readKeyFile } from '../../src/repository/accountKey.ts';
import { readCheckpoints } from '../../src/repository/checkpoint.ts';
import { readMarker } from '../../src/repository/copyMarker.ts';
import { DoomedList } from '../../src/repository/doomed.ts';
import { readEntities, readEntity } from '../../src/repository/entityKeys.ts';
import { boxKey, boxPublic, openBox, sealBox } from '../../src/repository/epochBox.ts';
import { learnEpochs } from '../../src/repository/epochs.ts';
import { readIndexSetting } from '../../src/repository/indexSetting.ts';
import { Keyring } from '../../src/repository/keyring.ts';
import { openLockSetting } from '../../src/repository/lockSetting.ts';
import { checkSeal, readManifest, type Manifest } from '../../src/repository/manifest.ts';
import { names } from '../../src/repository/names.ts';
import { readRemovals, removedSlots } from '../../src/repository/removals.ts';
import { Repository } from '../../src/repository/repository.ts';
import { journaledChanges, readBegin, readUndo } from '../../src/repository/restoreRecords.ts';
import { configBytes } from '../../src/repository/repositoryConfig.ts';
import { pinnedManifests, readCheckpointRoot, readRootManifest } from '../../src/repository/roots.ts';
import { objectHeader, openJson } from '../../src/repository/sealedObject.ts';
import { withClaim } from '../../src/repository/workClaim.ts';
import { SealingKey } from '../../src/repository/xaes.ts';
import { timeOrderedId } from '../../src/runtime/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { DAMAGE, type FuzzTarget } from './fuzzTarget.ts';
import { context, id, keyring, random, scratch, sealRecord, storage, tag } from './fuzzWorld.ts';

const SLOT_KEY = new Uint8Array(32).fill(7);
const SLOT = names.key('operator');
const OWN_SLOT = Buffer.concat(keyring.wrap(SLOT, SLOT_KEY, random));
const opener = Keyring.unwrap(SLOT, OWN_SLOT, SLOT_KEY);
const BOX = boxKey(deriveKey(SLOT_KEY, 'slot-box'));
const EPOCH = `0000000002-${id}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const layers = [[{ id, size: 900, rows: 2, first: 'a' }, { id, size: 90, rows: 1, first: 'k\u00ff' }], []];
const counts = { items: 2, folders: 1, bytes: 12, added: 1, changed: 0, removed: 0, skipped: 0, failed: 0, altered: 0 };
const entity = { id: 'fuzz', service: 'fuzz', name: 'Fuzz' };
const manifest: Manifest = {
  id, tag, entity, startedAt: '2026-11-23T18:52:09.000Z', finishedAt: '2026-11-23T18:52:10.000Z', status: 'partial', counts,
  warnings: [{ item: 'a', state: 'failed', code: 'x', message: 'No.' }], layers, cursor: null, predecessor: { id, sha256: '00'.repeat(32) },
  lock: { mode: 'compliance', until: '2026-12-23T18:52:10.000Z', setting: '0193f0a2b3c4aabbccddeeff00112233' },
};

function keyFile(): Buffer {
  const path = join(scratch, 'sample-key');
  makeKeyFile(path, random);
  return readFileSync(path);
}

/** A kind of record: its JSON is mutated and then sealed, so that what is behind the seal is reached. */
function sealed(name: string, object: string, sample: unknown, read: () => Promise<unknown>): FuzzTarget {
  return {
    name, samples: [json(sample)],
    run: async (input) => {
      await storage.put(object, [sealRecord(object, input)]);
      try {
        await read();
      } finally {
        await storage.delete(object);
      }
    },
  };
}

const rethrow = (_: string, error: unknown): never => { throw error as Error; };

export const recordTargets: readonly FuzzTarget[] = [
  {
    name: 'config', samples: [configBytes(keyring.repository)], codes: [...DAMAGE, 'repository/wrong-key'],
    run: async (input) => {
      const place = new MemoryStorage();
      await place.put('config', [input]);
      await place.put(SLOT, keyring.wrap(SLOT, SLOT_KEY, random));
      await Repository.open(place, SLOT_KEY, { cacheDirectory: scratch });
    },
  },
  {
    name: 'key-slot', samples: [Buffer.concat(keyring.wrap(SLOT, SLOT_KEY, random))], codes: [...DAMAGE, 'repository/wrong-key'],
    run: (input) => {
      keyring.slotHolds(SLOT, input);
      Keyring.unwrap(SLOT, input, SLOT_KEY);
    },
  },
  {
    name: 'key-bundle', codes: [...DAMAGE, 'repository/wrong-key'],
    samples: [json({ repository: '00'.repeat(16), secret: random(32).toString('base64'), epochs: [{ id: `0000000001-${id}`, key: random(32).toString('base64'), active: true }] })],
    run: (input) => {
      const sealed = new SealingKey(deriveKey(SLOT_KEY, 'slot')).seal(random(24), zstdCompressSync(input), Buffer.from(SLOT));
      const opened = Keyring.unwrap(SLOT, Buffer.concat([objectHeader('HFOB', 0), sealed, Buffer.alloc(64)]), SLOT_KEY);
      opened.entityTag('x');
      if (opened.epochs > 0) opened.sharedRawOf(opened.meta.epoch);
    },
  },
  {
    name: 'key-file', samples: [keyFile()],
    codes: ['key/damaged', 'key/malformed'],
    run: (input) => {
      const path = join(scratch, 'key');
      writeFileSync(path, input);
      readKeyFile(path);
    },
  },
  {
    name: 'recovery-key', samples: [Buffer.from(formatRecoveryKey(SLOT_KEY))], words: ['-', 'O', 'I', ' ', 'U', 'ß', '\u0130'],
    codes: ['key/recovery-length', 'key/recovery-typo', 'key/recovery-version'],
    run: (input) => { parseRecoveryKey(input.toString()); },
  },
  {
    name: 'record', samples: [sealRecord('pins/x/y', json({ tag, snapshot: id }))],
    run: (input) => { openJson('pins/x/y', input, keyring.metaOf); },
  },
  sealed('manifest', names.snapshot(tag, id), manifest, async () => {
    const stored = await readManifest(storage, keyring, tag, id);
    stored.manifest.layers.flat().map((ref) => names.segment(tag, ref.id));
    await readRootManifest(context, names.snapshot(tag, id));
  }),
  sealed('seal', names.seal(tag, id), { manifest: '00' }, () => checkSeal(storage, keyring, { manifest, sha256: '00' })),
  sealed('checkpoint', names.checkpoint(tag, id),
    { runId: id, predecessor: null, layers, own: layers, upTo: 'k', counts, writtenAt: manifest.finishedAt }, async () => {
      await readCheckpoints(context, tag);
      await readCheckpointRoot(context, names.checkpoint(tag, id));
    }),
  sealed('pin', names.pin(tag, id), { tag, snapshot: id, purpose: 'restore', madeAt: manifest.startedAt }, () => pinnedManifests(context, [names.pin(tag, id)])),
  sealed('doomed', names.doomed(1, id), { n: 1, id, objects: [names.pack(tag, id), names.snapshot(tag, id)] }, () => DoomedList.load(storage, keyring)),
  sealed('removal', names.removal(1, id), { madeAt: manifest.startedAt, removed: [{ tag, id, sha256: '00' }], slots: ['operator'] }, async () => {
    await readRemovals(context, rethrow);
    await removedSlots(context);
  }),
  {
    name: 'epoch', samples: [json({ madeAt: manifest.startedAt, active: true, slots: { operator: opener.boxFor('operator', boxPublic(BOX), EPOCH, random(32), random) } })],
    run: async (input) => {
      const object = names.epoch(EPOCH);
      const { epoch, key } = opener.next;
      await storage.put(object, [objectHeader('HFOB', epoch), key.seal(random(24), zstdCompressSync(input), Buffer.from(object))]);
      try {
        const [unknown] = await learnEpochs(storage, Keyring.unwrap(SLOT, OWN_SLOT, SLOT_KEY));
        if (unknown) throw unknown.error;
      } finally {
        await storage.delete(object);
      }
    },
  },
  {
    name: 'epoch-box', samples: [sealBox(boxPublic(BOX), SLOT_KEY, random(32), EPOCH, random)],
    run: (input) => { openBox(BOX, SLOT_KEY, input, EPOCH); },
  },
  {
    // Of now: older ones are deleted unread.
    ...sealed('claim', names.claim(timeOrderedId(context.clock.now(), random)), { work: 'prune', items: 'aa' }, () => withClaim(context, { work: 'prune' }, {}, async () => {})),
    codes: [...DAMAGE, 'repository/erasing'],
  },
  sealed('setting', names.setting(1, id), { madeAt: manifest.startedAt, tag, index: false }, async () => (await readIndexSetting(context)).of(tag)),
  sealed('lock', names.lock(id), { mode: 'compliance', days: 30, madeAt: manifest.startedAt }, async () => openLockSetting(names.lock(id), await storage.get(names.lock(id)), keyring)),
  sealed('entity', names.entity(tag, id), { entity, key: random(32).toString('base64') }, async () => {
    await readEntity(storage, keyring, tag);
    await readEntities(storage, keyring);
  }),
  sealed('restore-journal', names.journal(tag, id, 0), {
    begin: { madeAt: manifest.startedAt, service: 'fuzz', source: { id: 'fuzz', name: 'Fuzz', tag }, snapshot: id, target: { id: 'other', name: 'Other' }, mode: 'replace', before: id },
    intends: [[0, { item: 'a', part: 'mail' }], [1, { item: 'b' }]], did: [[0, { id: 'x' }]], ended: true,
  }, async () => {
    await readBegin(context, tag, id);
    for await (const changes of journaledChanges(context, [names.journal(tag, id, 0)])) changes.map(({ note }) => note.item.length);
  }),
  sealed('restore-undo', names.undo(tag, id, id, 0), { undone: [1, 2], whole: true }, async () => (await readUndo(context, names.undo(tag, id, id, 0))).undone.length),
  sealed('copy-mark', names.copy(id), { of: 'memory:', madeAt: manifest.startedAt, packs: 3, flawed: { [`${tag}/${id}`]: 1 } }, () => readMarker(context, names.copy(id))),
];
