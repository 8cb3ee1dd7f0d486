import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { PROFILES } from './profile.ts';
import { StorePipeline } from './storePipeline.ts';
import type { ContentJob } from './storeProtocol.ts';

const ITEM = 20_000;

function job(size: number): ContentJob & { readonly source: { readonly bytes: Uint8Array<ArrayBuffer> } } {
  return { source: { bytes: Uint8Array.from(randomBytes(size)) }, size, modified: null, mail: undefined };
}

function open(): { readonly pipeline: StorePipeline; readonly blobs: Set<string> } {
  const blobs = new Set<string>();
  const data = {
    idKey: randomBytes(32), chunkerKey: randomBytes(32), frameKeys: [Uint8Array.from(randomBytes(32)), Uint8Array.from(randomBytes(32))] as const,
    profile: PROFILES.default,
  };
  const pipeline = new StorePipeline(data, {
    claim: (ids) => Promise.resolve(new Uint8Array(ids.length / 24).fill(1)),
    frame: (_stream, { ids }) => { for (let at = 0; at < ids.length; at += 24) blobs.add(Buffer.from(ids.subarray(at, at + 24)).toString('hex')); },
  }, 2);
  onTestFinished(() => pipeline.close());
  return { pipeline, blobs };
}

test('the first batches are stored by the calling thread, later ones by workers, and all blobs come out of either', async () => {
  const { pipeline, blobs } = open();
  const jobs = Array.from({ length: 40 }, () => job(ITEM));
  const results = [];
  for (const one of jobs) {
    await pipeline.ready();
    results.push(pipeline.store([one]));
  }
  const settled = await Promise.all(results);
  await pipeline.flush();
  expect(settled.map(([result]) => result?.size)).toEqual(jobs.map(() => ITEM));
  expect(blobs.size).toBe(jobs.length);
  // What goes to a worker is moved there.
  const moved = jobs.map(({ source }) => source.bytes.length === 0);
  expect(moved).toEqual(jobs.map((_, at) => at >= 32));
});

test('a large content goes to a worker at once', async () => {
  const { pipeline } = open();
  const large = job(5 * 1024 * 1024);
  await pipeline.ready();
  const [result] = await pipeline.store([large]);
  await pipeline.flush();
  expect(large.source.bytes).toHaveLength(0);
  expect(result?.size).toBe(5 * 1024 * 1024);
});
