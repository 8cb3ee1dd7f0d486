import { HoldfastError } from '../domain/index.ts';
import { broken } from './testBrokenStorage.ts';
import type { BrokenStorages } from './testBrokenStorage.ts';

/** Ways to break the guarantees of list, by the name of the check that must notice. */
export const brokenListings: BrokenStorages = {
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
      let late = new Set<string>();
      return {
        put: async (name, parts, options) => {
          late.add(name);
          await sound.put(name, parts, options);
        },
        list: async (prefix, options) => {
          const page = await sound.list(prefix, options);
          const objects = page.objects.filter(({ name }) => !late.has(name));
          late = new Set<string>();
          return { ...page, objects };
        },
      };
    }),
    'shows deletes late': broken((sound) => {
      let late = new Set<string>();
      return {
        delete: async (name, options) => {
          late.add(name);
          await sound.delete(name, options);
        },
        list: async (prefix, options) => {
          const page = await sound.list(prefix, options);
          const gone = [...late].map((name) => ({ name, size: 10 }));
          late = new Set<string>();
          return { ...page, objects: [...page.objects, ...gone] };
        },
      };
    }),
  },
};
