/** On a service whose S3 interface knows less than Amazon's. What repositories rely on holds there all the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { S3TestServer } from '../../../tests/servers/s3TestServer.ts';
import { startSwift } from '../../../tests/servers/swift.ts';
import { readSettings, systemClock, systemRandom } from '../../runtime/index.ts';
import { checkConformance, conformanceChecks } from '../conformance.ts';
import { S3Storage } from './s3Storage.ts';

let server: S3TestServer;
let bucket: string;
const open = (): Promise<S3Storage> => S3Storage.open(server.address(bucket, 'conformance'), readSettings(server.environment));

beforeAll(async () => {
  server = await startSwift();
  bucket = await server.makeBucket();
}, 300_000);
afterAll(() => server?.stop());

test.each(conformanceChecks)('$name', async (check) => {
  const storage = await open();
  const options = { clock: systemClock, random: systemRandom, checks: [check], reopen: open };
  for await (const result of checkConformance(storage, options)) expect(result).toEqual({ name: check.name, error: undefined });
  expect((await storage.list('')).objects).toEqual([]);
});

test('a wrong region is told with the right one', async () => {
  const url = server.address(bucket).replace(server.region, 'eu-north-1');
  const error: unknown = await S3Storage.open(url, readSettings(server.environment)).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'storage/wrong-region', retryClass: 'input' });
  expect(String(error)).toContain(`region=${server.region}`);
});

test('an unknown key is told', async () => {
  const settings = readSettings({ ...server.environment, AWS_ACCESS_KEY_ID: 'test:stranger' });
  await expect(S3Storage.open(server.address(bucket), settings)).rejects.toMatchObject({ code: 'storage/bad-credentials', retryClass: 'input' });
});
