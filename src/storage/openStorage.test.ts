import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openStorage } from './openStorage.ts';

const scratch = await mkdtemp(join(tmpdir(), 'holdfast open-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

test('opens a path and a file address, and makes a folder only when told to', async () => {
  const path = join(scratch, 'a folder');
  await expect(openStorage(path)).rejects.toMatchObject({ code: 'storage/no-location', retryClass: 'input' });
  const url = pathToFileURL(path).href;
  await expect(openStorage(url)).rejects.toMatchObject({ code: 'storage/no-location' });
  const made = await openStorage(url, { create: true });
  await made.put('x', [Buffer.from('1')]);
  const opened = await openStorage(path);
  expect(opened.location).toBe(url);
  expect(await opened.stat('x')).toEqual({ name: 'x', size: 1 });
});

test.each(['s4://key:secret@bucket/x', 's4:bucket', 'SFTP://host/x', 'https://host/x'])(
  'says that %s is not supported, what is, and no secret',
  async (url) => {
    const error: unknown = await openStorage(url).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'storage/unknown-scheme', retryClass: 'input' });
    expect(String(error)).toContain('file:///');
    expect(String(error)).not.toContain('secret');
  },
);

test.each(['', 'file://host/share', 'file:///a%2Fb'])('refuses the address %j', async (url) => {
  await expect(openStorage(url)).rejects.toMatchObject({ code: 'storage/bad-location', retryClass: 'input' });
});

test('takes a folder whose name looks like an address when ./ stands before it', async () => {
  const here = process.cwd();
  process.chdir(scratch);
  try {
    const storage = await openStorage('./s3:bucket', { create: true });
    expect(storage.location).toBe(pathToFileURL(join(scratch, 's3:bucket')).href);
  } finally {
    process.chdir(here);
  }
});

test('the libraries of buckets are loaded only when an address asks for them', () => {
  const imports = /^(?:import|export) (?!type )[^;]*? from '([^']+)';/gms;
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const [, target = ''] of path.startsWith('/') ? readFileSync(path, 'utf8').matchAll(imports) : []) {
      load(target.startsWith('.') ? resolve(dirname(path), target) : target);
    }
  };
  load(join(import.meta.dirname, 'index.ts'));
  expect([...loaded].filter((path) => path.endsWith('/fileStorage.ts'))).toHaveLength(1);
  expect([...loaded].filter((path) => !path.startsWith('/') && !path.startsWith('node:'))).toEqual([]);
});
