import { HoldfastError } from '../domain/index.ts';
import { MemoryStorage } from './memoryStorage.ts';
import { broken, unless } from './testBrokenStorage.ts';
import type { BrokenStorages } from './testBrokenStorage.ts';

/** Ways to break what holds for names, cancelling and callers at once, by the name of the check that must notice. */
export const brokenSafety: BrokenStorages = {
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
      const started = new Set<string>();
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
