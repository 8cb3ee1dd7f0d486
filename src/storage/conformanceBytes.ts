import { requireThat, requireError, requireSameBytes } from './conformanceCheck.ts';
import type { ConformanceCheck } from './conformanceCheck.ts';

/** The last ones cross the sizes at which services and clients begin to split what they send. */
const SIZES = [0, 1, 4095, 4096, 65_537, 5 * 1024 * 1024 + 1, 17 * 1024 * 1024];

/** Checks of what put, get, stat and delete do to one object. */
export const byteChecks: readonly ConformanceCheck[] = [
  {
    name: 'get gives the bytes that put stored, at all sizes',
    async run(storage, helper) {
      for (const size of SIZES) {
        const bytes = helper.bytes(size);
        await storage.put(helper.name(`size-${size}`), [bytes]);
        requireSameBytes(await storage.get(helper.name(`size-${size}`)), bytes, `get of an object of ${size} bytes`);
      }
    },
  },
  {
    name: 'the parts of a put are joined in their order',
    async run(storage, helper) {
      const whole = helper.bytes(300_000);
      // More parts than one writev takes (1024), empty ones, and views into a larger buffer.
      const parts = [whole.subarray(0, 0), whole.subarray(0, 100_000), whole.subarray(100_000, 100_000)];
      for (let at = 100_000; at < whole.length; at += 100) parts.push(whole.subarray(at, at + 100));
      await storage.put(helper.name('parts'), parts);
      requireSameBytes(await storage.get(helper.name('parts')), whole, 'get of an object put in 2003 parts');
      await storage.put(helper.name('no-parts'), []);
      requireSameBytes(await storage.get(helper.name('no-parts')), new Uint8Array(), 'get of an object without parts');
    },
  },
  {
    name: 'put replaces the whole object that stood under the name',
    async run(storage, helper) {
      const name = helper.name('replaced');
      for (const size of [1000, 10, 2000, 0]) {
        const bytes = helper.bytes(size);
        await storage.put(name, [bytes]);
        requireSameBytes(await storage.get(name), bytes, `get after a put of ${size} bytes over another object`);
      }
    },
  },
  {
    name: 'get with a range gives exactly that part',
    async run(storage, helper) {
      const bytes = helper.bytes(1000);
      await storage.put(helper.name('ranged'), [bytes]);
      await storage.put(helper.name('empty'), []);
      // offset, length, and the first and last byte (exclusive) that they mean
      const cases = [
        [0, 1000, 0, 1000], [0, 1, 0, 1], [500, 100, 500, 600], [999, 1, 999, 1000], [10, 0, 10, 10],
        [900, 500, 900, 1000], [1000, 1, 0, 0], [5000, 10, 0, 0],
        [-1, 1, 999, 1000], [-100, 100, 900, 1000], [-100, 30, 900, 930], [-100, 500, 900, 1000],
        [-1000, 1000, 0, 1000], [-5000, 5000, 0, 1000], [-5000, 20, 0, 20],
      ] as const;
      for (const [offset, length, start, end] of cases) {
        const part = await storage.get(helper.name('ranged'), { range: { offset, length } });
        const what = `get of ${length} bytes from ${offset} of an object of 1000 bytes`;
        requireSameBytes(part, bytes.subarray(start, end), what);
      }
      for (const offset of [0, 3, -3]) {
        const part = await storage.get(helper.name('empty'), { range: { offset, length: 3 } });
        requireSameBytes(part, new Uint8Array(), `get of 3 bytes from ${offset} of an empty object`);
      }
    },
  },
  {
    name: 'get of a missing object fails with storage/not-found',
    async run(storage, helper) {
      await storage.put(helper.name('present'), [helper.bytes(10)]);
      for (const rest of ['missing', 'no-folder/missing', 'present/missing', 'presen']) {
        const name = helper.name(rest);
        await requireError(() => storage.get(name), 'storage/not-found', 'never', `get of the missing "${name}"`);
        const ranged = (): Promise<unknown> => storage.get(name, { range: { offset: -4, length: 4 } });
        await requireError(ranged, 'storage/not-found', 'never', `get of a range of the missing "${name}"`);
      }
    },
  },
  {
    name: 'stat gives the size, or undefined for what is not there',
    async run(storage, helper) {
      const name = helper.name('folder/sized');
      for (const size of [0, 12_345]) {
        await storage.put(name, [helper.bytes(size)]);
        const info = await storage.stat(name);
        const told = JSON.stringify(info);
        requireThat(info?.name === name && info.size === size, `stat of an object of ${size} bytes gave ${told}`);
      }
      for (const rest of ['missing', 'folder', 'folder/sized/deeper', 'no-folder/missing']) {
        const info = await storage.stat(helper.name(rest));
        requireThat(info === undefined, `stat of the missing "${rest}" gave ${JSON.stringify(info)}`);
      }
    },
  },
  {
    name: 'delete removes the object and nothing else',
    async run(storage, helper) {
      const kept = ['gone-2', 'gon', 'folder/kept'].map(helper.name);
      const gone = ['gone', 'folder/gone'].map(helper.name);
      const bytes = helper.bytes(100);
      for (const name of [...kept, ...gone]) await storage.put(name, [bytes]);
      for (const name of gone) {
        await storage.delete(name);
        await requireError(() => storage.get(name), 'storage/not-found', 'never', `get of the deleted "${name}"`);
        requireThat((await storage.stat(name)) === undefined, `stat shows the deleted "${name}"`);
      }
      for (const name of kept) {
        requireSameBytes(await storage.get(name), bytes, `get of "${name}" beside a deleted one`);
      }
    },
  },
  {
    name: 'delete of a missing object succeeds and changes nothing',
    async run(storage, helper) {
      const name = helper.name('folder/object');
      await storage.put(name, [helper.bytes(5)]);
      for (const rest of ['missing', 'folder', 'folder/object/deeper', 'no-folder/missing']) {
        await storage.delete(helper.name(rest));
      }
      requireThat((await storage.stat(name)) !== undefined, 'deleting missing objects removed another one');
      await storage.delete(name);
      await storage.delete(name);
    },
  },
];
