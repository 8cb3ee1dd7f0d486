import assert from 'node:assert/strict';
import { isHoldfastError } from '../../src/domain/index.ts';
import { openStorage, RetryingStorage, type Storage } from '../../src/storage/index.ts';
import { readSettings } from '../../src/runtime/index.ts';
import { startCeph } from '../servers/ceph.ts';
import { S3Proxy, SLOW_DOWN, type S3Fault } from '../servers/s3Proxy.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { CrashRounds, type CrashTally } from './crashRounds.ts';
import { DamageRounds } from './damageRounds.ts';
import { FaultRounds } from './faultRounds.ts';
import { copyStorage } from './fixture.ts';
import { S3Place } from './s3Place.ts';
import { seededNumbers, seededRandom } from './seeded.ts';
import { STOPPED_CASES } from './stoppedCases.ts';
import { StoppedRounds } from './stoppedRounds.ts';

const FAULTS: readonly S3Fault[] = [
  SLOW_DOWN, { kind: 'reply', status: 500, code: 'InternalError' }, { kind: 'reset' }, { kind: 'lost-reply' }, { kind: 'cut', after: 50 }, { kind: 'slow', ms: 20 },
];

/** The proofs of the store, on buckets of a real service. */
export class ProofsOnS3 {
  readonly server: S3TestServer;
  readonly proxy: S3Proxy;
  readonly place: S3Place;
  readonly #through: S3Place;
  readonly #cache: (name: string) => string;
  readonly #seed: number;

  private constructor(server: S3TestServer, proxy: S3Proxy, bucket: string, cache: (name: string) => string, seed: number) {
    this.server = server;
    this.proxy = proxy;
    this.place = new S3Place(server, bucket);
    this.#through = new S3Place(server, bucket, proxy.endpoint);
    this.#cache = cache;
    this.#seed = seed;
  }

  /** Starts the service; `cache` gives paths for local caches. */
  static async start(cache: (name: string) => string, seed: number): Promise<ProofsOnS3> {
    const server = await startCeph();
    return new ProofsOnS3(server, await S3Proxy.start(server), await server.makeBucket(), cache, seed);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.server.stop();
  }

  crashes(kills: number, folder: string): Promise<CrashTally> {
    return new CrashRounds(folder, this.#seed, { url: this.place.address(), environment: this.server.environment }).run(kills);
  }

  async pairs(count: number): Promise<void> {
    await new StoppedRounds({ place: this.place, cache: this.#cache, seed: this.#seed }).pairs(count);
  }

  /** Every `step`-th operation of a writer, and of a pruner, is one at which the other runs to its end. */
  async stopped(step: number): Promise<number> {
    const rounds = new StoppedRounds({ place: this.place, cache: this.#cache, seed: this.#seed });
    let steps = 0;
    for (const kind of ['writer', 'pruner'] as const) steps += await STOPPED_CASES.find(({ stopped }) => stopped === kind)?.run(rounds, step) ?? 0;
    return steps;
  }

  async damages(count: number): Promise<void> {
    await (await DamageRounds.make(this.place, this.#cache)).some(count, this.#seed);
  }

  /**
   * Each kind of work with a share of its requests broken on the way to the service and back: with retries it ends well,
   * without it may fail, in words. Either way what stands is whole, and the work finishes once nothing breaks any more.
   */
  async faults(share: number, rounds: number): Promise<{ readonly struck: number; readonly failed: number }> {
    const fault = await FaultRounds.make(this.#cache, this.#seed);
    const next = seededNumbers(this.#seed);
    let struck = 0;
    let failed = 0;
    for (let round = 0; round < rounds; round++) {
      for (const [kind, work] of Object.entries(fault.work)) {
        for (const attempts of [12, 1]) {
          const { broken, storage } = await this.#brokenCopy(fault.start, attempts);
          this.proxy.script = () => (next() < share ? FAULTS[Math.floor(next() * FAULTS.length)] : undefined);
          const error: unknown = await fault.open(broken).then(work).then(() => undefined, (caught: unknown) => caught);
          struck += [...this.proxy.struck.values()].reduce((sum, n) => sum + n, 0);
          this.proxy.reset();
          try {
            if (error !== undefined) {
              failed++;
              if (attempts > 1 || !isHoldfastError(error)) throw error;
            }
            await fault.proveAndFinish(storage, work);
          } catch (cause) {
            throw new Error(`${kind} with ${attempts} attempts, round ${round} (HOLDFAST_SEED=${this.#seed})`, { cause });
          }
        }
      }
    }
    assert.ok(struck > 0, 'no request was broken');
    return { struck, failed };
  }

  /** A copy of `start`, and the way to it through the proxy. */
  async #brokenCopy(start: Storage, attempts: number): Promise<{ storage: Storage; broken: Storage }> {
    const address = this.#through.address();
    const direct = await this.place.open(address.replace(this.proxy.endpoint, this.server.endpoint));
    const storage = await copyStorage(start, { fresh: async () => direct });
    const broken = new RetryingStorage(await openStorage(address, { settings: readSettings(this.server.environment) }),
      { random: seededRandom(this.#seed), sleep: () => Promise.resolve(), attempts });
    return { storage, broken };
  }
}
