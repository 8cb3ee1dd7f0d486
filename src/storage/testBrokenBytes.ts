import { HoldfastError } from '../domain/index.ts';
import { resolveRange } from './byteRange.ts';
import type { Range } from './contract.ts';
import { listAll } from './listAll.ts';
import { broken, unless } from './testBrokenStorage.ts';
import type { BrokenStorage, BrokenStorages } from './testBrokenStorage.ts';

/** A storage whose reading of a range is done by `cut`. */
function brokenRange(cut: (bytes: Uint8Array, range: Range) => Uint8Array): () => BrokenStorage {
  return broken((sound) => ({
    get: async (name, options = {}) => {
      const bytes = await sound.get(name);
      return options.range ? cut(bytes, options.range) : bytes;
    },
  }));
}

/** Ways to break the guarantees of put, get, stat and delete, by the name of the check that must notice. */
export const brokenBytes: BrokenStorages = {
  'get gives the bytes that put stored, at all sizes': {
    'loses what follows 5 MiB': broken((sound) => ({
      put: (name, parts) => sound.put(name, [Buffer.concat(parts).subarray(0, 5 * 1024 * 1024)]),
    })),
    'flips a bit of large objects': broken((sound) => ({
      get: async (name) => (await sound.get(name)).map((byte, i) => (i === 70_000 ? byte ^ 1 : byte)),
    })),
    'refuses empty objects': broken((sound) => ({
      put: async (name, parts) => {
        if (parts.every((part) => part.length === 0)) throw new Error('empty');
        await sound.put(name, parts);
      },
    })),
  },
  'the parts of a put are joined in their order': {
    'writes at most 1024 parts': broken((sound) => ({ put: (name, parts) => sound.put(name, parts.slice(0, 1024)) })),
    'ignores where a view begins': broken((sound) => ({
      put: (name, parts) => sound.put(name, parts.map((part) => new Uint8Array(part.buffer, 0, part.length))),
    })),
  },
  'put replaces the whole object that stood under the name': {
    'keeps the first': broken((sound) => ({
      put: async (name, parts) => {
        if ((await sound.stat(name)) === undefined) await sound.put(name, parts);
      },
    })),
    'leaves the tail of a longer one': broken((sound) => ({
      put: async (name, parts) => {
        const bytes = Buffer.concat(parts);
        const old = await unless('storage/not-found', sound.get(name), () => new Uint8Array());
        await sound.put(name, [bytes, old.subarray(bytes.length)]);
      },
    })),
  },
  'get with a range gives exactly that part': {
    'ignores the range': brokenRange((bytes) => bytes),
    'takes the end for the length': brokenRange((bytes, { offset, length }) => bytes.subarray(offset, length)),
    'counts a suffix from the start': brokenRange((bytes, range) => {
      const { start, end } = resolveRange({ offset: Math.abs(range.offset), length: range.length }, bytes.length);
      return bytes.subarray(start, end);
    }),
    'gives a suffix in full': brokenRange((bytes, range) => {
      const { start, end } = resolveRange(range, bytes.length);
      return bytes.subarray(start, range.offset < 0 ? bytes.length : end);
    }),
    'fails past the end': brokenRange((bytes, range) => {
      if (range.offset > bytes.length) throw new RangeError('416');
      const { start, end } = resolveRange(range, bytes.length);
      return bytes.subarray(start, end);
    }),
  },
  'get of a missing object fails with storage/not-found': {
    'gives no bytes': broken((sound) => ({
      get: (name, options) => unless('storage/not-found', sound.get(name, options), () => new Uint8Array()),
    })),
    'says unavailable': broken((sound) => ({
      get: (name, options) =>
        unless('storage/not-found', sound.get(name, options), () => {
          throw new HoldfastError('storage/unavailable', 'retry', 'Gone?');
        }),
    })),
    'gives what starts so': broken((sound) => ({
      get: async (name, options) => {
        const { objects } = await sound.list(name);
        return sound.get(objects[0]?.name ?? name, options);
      },
    })),
  },
  'stat gives the size, or undefined for what is not there': {
    'rejects': broken((sound) => ({
      stat: async (name) => ({ name, size: (await sound.get(name)).length }),
    })),
    'shows folders': broken((sound) => ({
      stat: async (name) => {
        const below = await sound.list(`${name}/`);
        return below.objects.length > 0 ? { name, size: 4096 } : sound.stat(name);
      },
    })),
    'knows no sizes': broken((sound) => ({
      stat: async (name) => {
        const found = await sound.stat(name);
        return found && { name, size: 0 };
      },
    })),
  },
  'delete removes the object and nothing else': {
    'does nothing': broken(() => ({ delete: async () => undefined })),
    'removes all that starts so': broken((sound) => ({
      delete: async (name) => {
        for await (const object of listAll(sound, name)) await sound.delete(object.name);
      },
    })),
  },
  'delete of a missing object succeeds and changes nothing': {
    'rejects': broken((sound) => ({
      delete: async (name) => {
        await sound.get(name);
        await sound.delete(name);
      },
    })),
    'removes the folder': broken((sound) => ({
      delete: async (name) => {
        for await (const object of listAll(sound, `${name}/`)) await sound.delete(object.name);
        await sound.delete(name);
      },
    })),
  },
};
