/**
 * Repositories in places with object lock (invariants I27, I28, I30): all cases on a storage in memory that keeps versions and locks as services do (its own
 * test holds it to that), and those that rely on the service the most on a real one too; tests/cli/lockFlow.test.ts has more there.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Repository } from '../../src/repository/index.ts';
import { readSettings } from '../../src/runtime/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { startCeph } from '../servers/ceph.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { cacheFolder, OPERATOR_KEY, RECOVERY_KEY } from './fixture.ts';
import { lockDoubtCases } from './lockDoubtCases.ts';
import { lockHoldCases } from './lockHoldCases.ts';
import { lockRunCases } from './lockRunCases.ts';
import { lockLossCases, lockWaitCases } from './lockWaitCases.ts';
import { InBucket, InMemory } from './lockedPlace.ts';
import { LOCK, LockWorlds } from './lockWorlds.ts';

/** 'service': all cases on the real service. */
const WHERE = process.env['HOLDFAST_LOCKS'];

// Many requests to a service that shares the machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const caches = await cacheFolder();
afterAll(() => caches.remove());

describe('in memory', () => {
  const worlds = new LockWorlds(async (clock) => new InMemory(clock), (name) => caches.path(`memory-${name}`));
  test.each([...lockHoldCases, ...lockRunCases, ...lockDoubtCases, ...lockWaitCases, ...lockLossCases])('$name', ({ run }) => run(worlds));
});

describe('on a service', () => {
  let server: S3TestServer;
  beforeAll(async () => {
    server = await startCeph({ inMemory: true });
  });
  afterAll(() => server?.stop());

  const worlds = new LockWorlds(async () => new InBucket(server, await server.makeBucket({ lock: true })), (name) => caches.path(`service-${name}`));
  test.each(WHERE === 'service' ? [...lockHoldCases, ...lockRunCases, ...lockWaitCases] : lockHoldCases)('$name', ({ run }) => run(worlds));

  test('a place without object lock takes no repository with a lock', async () => {
    const storage = await openStorage(server.address(await server.makeBucket()), { settings: readSettings(server.environment) });
    await expect(Repository.init(storage, OPERATOR_KEY, RECOVERY_KEY, { cacheDirectory: caches.path('none'), lock: LOCK })).rejects.toMatchObject({ code: 'storage/no-lock' });
    expect((await storage.list('')).objects).toEqual([]);
  });
});
