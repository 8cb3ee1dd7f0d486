import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCeph } from '../../../tests/servers/ceph.ts';
import type { S3TestServer } from '../../../tests/servers/s3TestServer.ts';
import { readSettings, systemClock, systemRandom } from '../../runtime/index.ts';
import { checkConformance, conformanceChecks } from '../conformance.ts';
import { S3Storage } from './s3Storage.ts';

let server: S3TestServer;
let bucket: string;
const open = (prefix: string): Promise<S3Storage> => S3Storage.open(server.address(bucket, prefix), readSettings(server.environment));

beforeAll(async () => {
  server = await startCeph();
  bucket = await server.makeBucket();
});
afterAll(() => server.stop());

describe('keeps the contract', () => {
  test.each(conformanceChecks)('$name', async (check) => {
    const storage = await open('conformance');
    const options = { clock: systemClock, random: systemRandom, checks: [check], reopen: () => open('conformance') };
    for await (const result of checkConformance(storage, options)) {
      expect(result).toEqual({ name: check.name, error: undefined });
    }
    expect((await storage.list('')).objects).toEqual([]);
  });
});
