/** Storages for the test of the conformance suite: each breaks one guarantee, which one check must notice. */
import { resolveRange } from './byteRange.ts';
import type { Range, Storage } from './contract.ts';
import { listAll } from './listAll.ts';
import { MemoryStorage } from './memoryStorage.ts';
import { HoldfastError } from '../domain/index.ts';

/** `reopened` is what another process sees; the storage itself where there is none. */
export type BrokenStorage = Storage & { readonly reopened?: Storage };

/** A memory storage in which some calls are replaced. */
function broken(replace: (sound: MemoryStorage) => Partial<BrokenStorage>): () => BrokenStorage {
  return () => {
    const sound = new MemoryStorage();
    const calls: Storage = {
      location: sound.location,
      get: (name, options) => sound.get(name, options),
      put: (name, parts, options) => sound.put(name, parts, options),
      list: (prefix, options) => sound.list(prefix, options),
      delete: (name, options) => sound.delete(name, options),
      stat: (name, options) => sound.stat(name, options),
    };
    return { ...calls, ...replace(sound) };
  };
}

/** A storage whose reading of a range is done by `cut`. */
function brokenRange(cut: (bytes: Uint8Array, range: Range) => Uint8Array): () => BrokenStorage {
  return broken((sound) => ({
    get: async (name, options = {}) => {
      const bytes = await sound.get(name);
      return options.range ? cut(bytes, options.range) : bytes;
    },
  }));
}

const oldNames = (): Set<string> => new Set();

/** Does `call` where the storage fails with the given code. */
async function unless<T>(code: string, work: Promise<T>, instead: () => T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === code) return instead();
    throw error;
  }
}

/** By the name of the check that must notice: ways to break it. */
export const brokenStorages: Readonly<Record<string, Readonly<Record<string, () => BrokenStorage>>>> = {
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
  'list gives all names in ascending byte order': {
    'goes folder by folder': broken((sound) => ({
      list: async (prefix) => {
        const { objects } = await sound.list(prefix);
        const key = (name: string): string => name.replaceAll('/', '\0');
        return { objects: objects.toSorted((a, b) => (key(a.name) < key(b.name) ? -1 : 1)) };
      },
    })),
    'leaves out hidden files': broken((sound) => ({
      list: async (prefix) => {
        const { objects } = await sound.list(prefix);
        return { objects: objects.filter(({ name }) => !name.includes('/.')) };
      },
    })),
  },
  'list gives exactly what starts with the prefix, also within a segment': {
    'takes the prefix for a folder': broken((sound) => ({
      list: async (prefix) => {
        const { objects } = await sound.list(prefix);
        return { objects: objects.filter(({ name }) => /(^|\/)$/.test(prefix) || name[prefix.length] === '/') };
      },
    })),
  },
  'list by pages gives each object once': {
    'ignores the limit': broken((sound) => ({ list: (prefix, { after = '' } = {}) => sound.list(prefix, { after }) })),
    'repeats the last of a page': broken((sound) => ({
      list: async (prefix, options = {}) => {
        const page = await sound.list(prefix, options);
        const earlier = page.objects.at(-2)?.name;
        return page.next !== undefined && earlier !== undefined ? { ...page, next: earlier } : page;
      },
    })),
    'never ends': broken((sound) => ({
      list: async (prefix, options = {}) => {
        const page = await sound.list(prefix, options);
        const last = page.objects.at(-1)?.name ?? options.after;
        return last === undefined ? page : { ...page, next: last };
      },
    })),
    'ends early': broken((sound) => ({
      list: async (prefix, options) => ({ objects: (await sound.list(prefix, options)).objects }),
    })),
  },
  'list goes on after any name, also one that is not there': {
    'starts again when the name is gone': broken((sound) => ({
      list: async (prefix, { after, ...rest } = {}) =>
        after !== undefined && after.length <= 512 && !after.endsWith('/') && (await sound.stat(after)) !== undefined
          ? sound.list(prefix, { ...rest, after })
          : sound.list(prefix, rest),
    })),
    'includes the name': broken((sound) => ({
      list: async (prefix, options = {}) => {
        const page = await sound.list(prefix, options);
        const { after = '' } = options;
        const named = after.startsWith(prefix) && !after.endsWith('/') ? await sound.stat(after) : undefined;
        return named ? { ...page, objects: [named, ...page.objects] } : page;
      },
    })),
  },
  'list of what is not there gives an empty last page': {
    'rejects': broken((sound) => ({
      list: async (prefix, options) => {
        const page = await sound.list(prefix, options);
        if (page.objects.length === 0) throw new HoldfastError('storage/not-found', 'never', 'No such folder.');
        return page;
      },
    })),
  },
  'list gives the sizes': {
    'rounds up to blocks': broken((sound) => ({
      list: async (prefix, options) => {
        const page = await sound.list(prefix, options);
        const objects = page.objects.map(({ name, size }) => ({ name, size: Math.ceil(size / 4096) * 4096 }));
        return { ...page, objects };
      },
    })),
  },
  'list shows at once what was put, and no more what was deleted': {
    'shows puts late': broken((sound) => {
      let late = oldNames();
      return {
        put: async (name, parts, options) => {
          late.add(name);
          await sound.put(name, parts, options);
        },
        list: async (prefix, options) => {
          const page = await sound.list(prefix, options);
          const objects = page.objects.filter(({ name }) => !late.has(name));
          late = oldNames();
          return { ...page, objects };
        },
      };
    }),
    'shows deletes late': broken((sound) => {
      let late = oldNames();
      return {
        delete: async (name, options) => {
          late.add(name);
          await sound.delete(name, options);
        },
        list: async (prefix, options) => {
          const page = await sound.list(prefix, options);
          const gone = [...late].map((name) => ({ name, size: 10 }));
          late = oldNames();
          return { ...page, objects: [...page.objects, ...gone] };
        },
      };
    }),
  },
  'every allowed name can be used': {
    'has shorter names': broken((sound) => ({
      put: async (name, parts) => {
        if (name.length > 255) throw new Error('too long');
        await sound.put(name, parts);
      },
    })),
    'cuts dots at the end': broken((sound) => ({
      list: async (prefix, options) => {
        const page = await sound.list(prefix, options);
        const objects = page.objects.map(({ name, size }) => ({ name: name.replace(/\.+$/, ''), size }));
        return { ...page, objects };
      },
    })),
  },
  'a name outside the rules is refused by every call': {
    'takes any name': broken((sound) => ({
      put: (name, parts) => unless('storage/bad-name', sound.put(name, parts), () => undefined),
    })),
    'finds no object under it': broken((sound) => ({
      get: (name, options) =>
        unless('storage/bad-name', sound.get(name, options), () => {
          throw new HoldfastError('storage/not-found', 'never', 'None.');
        }),
    })),
    'says that it is not there': broken((sound) => ({
      stat: (name) => unless('storage/bad-name', sound.stat(name), () => undefined),
    })),
    'deletes it': broken((sound) => ({
      delete: (name) => unless('storage/bad-name', sound.delete(name), () => undefined),
    })),
  },
  'a call whose signal is aborted rejects with its reason and has no effect': {
    'does not look at the signal of get': broken((sound) => ({ get: (name) => sound.get(name) })),
    'does not look at the signal of put': broken((sound) => ({ put: (name, parts) => sound.put(name, parts) })),
    'does not look at the signal of list': broken((sound) => ({ list: (prefix) => sound.list(prefix) })),
    'does not look at the signal of delete': broken((sound) => ({ delete: (name) => sound.delete(name) })),
    'does not look at the signal of stat': broken((sound) => ({ stat: (name) => sound.stat(name) })),
    'has another reason': broken((sound) => ({
      get: async (name, options = {}) => {
        if (options.signal?.aborted) throw new Error('AbortError');
        return sound.get(name);
      },
    })),
    'rejects only after the effect': broken((sound) => ({
      put: async (name, parts, options = {}) => {
        await sound.put(name, parts);
        options.signal?.throwIfAborted();
      },
    })),
  },
  'a put that is aborted on the way leaves the whole object or none': {
    'leaves the first part': broken((sound) => ({
      put: async (name, parts, options = {}) => {
        await sound.put(name, parts.slice(0, 1), options);
        await new Promise((resolve) => setImmediate(resolve));
        options.signal?.throwIfAborted();
        await sound.put(name, parts);
      },
    })),
    'succeeds without effect': broken((sound) => ({
      put: async (name, parts, options = {}) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (!options.signal?.aborted) await sound.put(name, parts);
      },
    })),
  },
  'readers and writers at the same time see whole objects only': {
    'writes in two steps': broken((sound) => ({
      put: async (name, parts) => {
        const bytes = Buffer.concat(parts);
        await sound.put(name, [bytes.subarray(0, bytes.length / 2)]);
        await new Promise((resolve) => setImmediate(resolve));
        await sound.put(name, [bytes]);
      },
    })),
    'leaves temporary objects': broken((sound) => ({
      put: async (name, parts) => {
        await sound.put(`${name}.new`, parts);
        await sound.put(name, parts);
      },
    })),
  },
  'puts and deletes at the same time do not disturb each other': {
    'a delete takes the folder along when it looks empty': broken((sound) => {
      const started = oldNames();
      return {
        put: async (name, parts) => {
          started.add(name);
          await new Promise((resolve) => setImmediate(resolve));
          if (started.delete(name)) await sound.put(name, parts);
        },
        delete: async (name) => {
          await sound.delete(name);
          started.clear();
        },
      };
    }),
  },
  'what was put is there for another process': {
    'is known to one process alone': broken(() => ({ reopened: new MemoryStorage() })),
  },
  "the caller's buffers and the stored bytes are not tied together": {
    'keeps what it was given': broken(() => {
      const kept = new Map<string, Uint8Array>();
      return {
        put: async (name, parts) => void kept.set(name, parts[0] ?? new Uint8Array()),
        get: async (name) => (kept.get(name) ?? new Uint8Array()).slice(),
      };
    }),
    'gives away what it keeps': broken(() => {
      const kept = new Map<string, Uint8Array>();
      return {
        put: async (name, parts) => void kept.set(name, new Uint8Array(Buffer.concat(parts))),
        get: async (name) => kept.get(name) ?? new Uint8Array(),
      };
    }),
  },
};
