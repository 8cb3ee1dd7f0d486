/** What the tests of buckets behind HTTP share: calls, what they cost in requests, and what holds for each service. */
import { expect, test } from 'vitest';
import { freePorts } from '../../../tests/servers/freePorts.ts';
import type { Meddling, SeenRequest } from '../../../tests/servers/httpProxy.ts';
import { systemRandom } from '../../runtime/index.ts';
import type { Storage } from '../contract.ts';
import { listAll } from '../listAll.ts';

/** What stands before a service, or is one: it sees all requests and can spoil some. */
export interface Wire {
  readonly seen: SeenRequest[];
  connections: number;
  meddle: (seen: SeenRequest) => Meddling | { cutAfter: number } | undefined;
}

/** A service under test. */
export interface WatchedBucket {
  /** The wire that the storages of `open` go through. */
  readonly wire: () => Wire;
  /** A storage with a folder of its own; `port`: where nobody may listen, in place of the wire. */
  readonly open: (options?: { readonly port?: number; readonly quietMs?: number }) => Promise<Storage>;
  /** What a request is for, after its method; '' where the method says it all. */
  readonly purpose: (url: URL) => string;
  /** The request of one page of a listing. */
  readonly page: string;
}

export const bytes = (size: number): Uint8Array => new Uint8Array(systemRandom(size));
export const MIB = 1024 * 1024;

/** Requests of `work` in their order, and the bytes that each sent. */
export async function requestsOf({ wire, purpose }: WatchedBucket, work: () => Promise<unknown>): Promise<{ what: string[]; bytes: number[] }> {
  const { seen } = wire();
  seen.length = 0;
  await work();
  return { what: seen.map(({ method, url }) => `${method} ${purpose(url)}`.trimEnd()), bytes: seen.map((one) => one.bytes) };
}

/** One of each kind. */
export function callsOn(storage: Storage): (() => Promise<unknown>)[] {
  return [
    () => storage.get('x'), () => storage.put('x', [bytes(3)]), () => storage.list(''), () => storage.stat('x'), () => storage.delete('x'),
  ];
}

/** What every service has to do; call it once in a test file. */
export function testWatchedBucket(bucket: WatchedBucket): void {
  test('each page of a listing is one request, wherever it starts', async () => {
    const storage = await bucket.open();
    const names = Array.from({ length: 25 }, (_, i) => `p/${String(i).padStart(3, '0')}`);
    await Promise.all(names.map((name) => storage.put(name, [bytes(1)])));
    const listed: string[] = [];
    const all = await requestsOf(bucket, async () => {
      for await (const { name } of listAll(storage, 'p/', { limit: 10 })) listed.push(name);
    });
    expect(listed).toEqual(names);
    expect(all.what).toEqual(Array.from({ length: 3 }, () => bucket.page));
    const late = await requestsOf(bucket, () => storage.list('p/', { after: 'p/020', limit: 2 }));
    expect(late.what).toEqual([bucket.page]);
  });

  test('nobody listening, and a server that stays silent, may pass', async () => {
    const [port = 0] = await freePorts(1);
    await expect((await bucket.open({ port })).get('x')).rejects.toMatchObject({
      code: 'storage/unavailable', retryClass: 'retry', message: expect.stringContaining('nobody listens'),
    });
    bucket.wire().meddle = () => 'silence';
    for (const call of callsOn(await bucket.open({ quietMs: 300 }))) {
      await expect(call()).rejects.toMatchObject({ code: 'storage/unavailable', message: expect.stringContaining('nothing was heard') });
    }
  });

  test('calls after one another use one connection', async () => {
    const storage = await bucket.open();
    await storage.list('');
    const before = bucket.wire().connections;
    for (let i = 0; i < 10; i++) {
      for (const call of callsOn(storage).slice(1)) await call();
      await storage.get('missing').catch(() => undefined);
      await storage.delete('x');
      await storage.put('pack', [bytes(5 * MIB)]);
    }
    // The server may close an idle one while the machine is busy.
    expect(bucket.wire().connections - before).toBeLessThan(10);
  });

  test('an abort ends a call that waits, with its reason', async () => {
    const storage = await bucket.open();
    bucket.wire().meddle = () => 'silence';
    const controller = new AbortController();
    const get = storage.get('x', { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(get).rejects.toBe(reason);
  });
}
