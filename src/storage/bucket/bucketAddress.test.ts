import { expect, test } from 'vitest';
import { openStorage } from '../openStorage.ts';
import { readSettings } from '../../runtime/index.ts';

const environment = { AZURE_STORAGE_KEY: Buffer.alloc(64).toString('base64'), AZURE_STORAGE_ACCOUNT: 'account1' };
const settings = readSettings(environment);
const emulated = readSettings({ STORAGE_EMULATOR_HOST: '127.0.0.1:9' });

test.each([
  ['azblob://box-1', 'azblob://box-1?account=account1'],
  ['azblob://box/a/B_c.d/', 'azblob://box/a/B_c.d?account=account1'],
  ['azblob://box/a?account=other', 'azblob://box/a?account=other'],
  ['azblob://box/a?account=other&endpoint=https://blob.example.org:8443/x', 'azblob://box/a?account=other&endpoint=https://blob.example.org:8443/x'],
])('%s opens, and is shown as %s', async (url, location) => {
  expect((await openStorage(url, { settings })).location).toBe(location);
});

test.each([['gs://bucket', 'gs://bucket'], ['gs://my_bucket.example.org/a/b/', 'gs://my_bucket.example.org/a/b']])('%s opens', async (url, location) => {
  expect((await openStorage(url, { settings: emulated })).location).toBe(location);
});

test.each([
  'azblob:box', 'azblob://', 'azblob://UPPER/x', 'azblob://a/x', 'azblob://user:SECRET@box/x', 'azblob://box/x?sig=SECRET',
  'azblob://box/x#SECRET', 'azblob://box/a//SECRET', 'azblob://box/%53ECRET', 'azblob://box/x?account=SECRET', 'azblob://box/x?endpoint=SECRET',
  'azblob://box/x?endpoint=http://blob.example.org', 'azblob://box/x?endpoint=https://h/%3Fsig=SECRET?sig=SECRET',
  'gs:bucket', 'gs://user:SECRET@bucket', 'gs://b', 'gs://bucket?token=SECRET', 'gs://bucket/a/b?endpoint=http://storage.example.org',
  `azblob://box/${'a/'.repeat(300)}b`,
])('%s is refused in a sentence that repeats no secret', async (url) => {
  const error: unknown = await openStorage(url, { settings }).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'storage/bad-location', retryClass: 'input' });
  expect(String(error)).not.toContain('SECRET');
});

test.each<[string, Record<string, string>, string]>([
  ['no account', { AZURE_STORAGE_KEY: 'x' }, 'storage/bad-location'],
  ['no credentials', { AZURE_STORAGE_ACCOUNT: 'account1' }, 'storage/no-credentials'],
  ['a key that is none', { AZURE_STORAGE_ACCOUNT: 'account1', AZURE_STORAGE_KEY: 'SECRET key' }, 'storage/no-credentials'],
  ['a connection string that is none', { AZURE_STORAGE_CONNECTION_STRING: 'AccountKey=SECRET' }, 'storage/no-credentials'],
  ['a connection string of another account', {
    AZURE_STORAGE_ACCOUNT: 'account1',
    AZURE_STORAGE_CONNECTION_STRING: 'DefaultEndpointsProtocol=https;AccountName=account2;AccountKey=U0VDUkVU;EndpointSuffix=core.windows.net',
  }, 'storage/bad-location'],
  ['a connection string in clear text', {
    AZURE_STORAGE_CONNECTION_STRING: 'DefaultEndpointsProtocol=http;AccountName=account2;AccountKey=U0VDUkVU;EndpointSuffix=core.windows.net',
  }, 'storage/bad-location'],
])('%s is told', async (_what, variables, code) => {
  const error: unknown = await openStorage('azblob://box/x', { settings: readSettings(variables) }).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code, retryClass: 'input' });
  expect(String(error)).not.toMatch(/SECRET|U0VDUkVU/);
});
