/** Processes killed while they put: whatever is listed afterwards is whole, and nothing that was confirmed is lost. */
import { spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../runtime/index.ts';
import { FileStorage } from './fileStorage.ts';
import { listAll } from './listAll.ts';

const ROUNDS = Number(process.env['HOLDFAST_CRASH_ROUNDS'] ?? 20);
const seed = Number(process.env['HOLDFAST_SEED'] ?? randomInt(2 ** 31));

const scratch = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Puts objects that begin with the hash of the rest, four at a time, and prints each name when it is confirmed. */
const WRITER = `
  import { createHash, randomBytes } from 'node:crypto';
  import { FileStorage } from '${new URL('fileStorage.ts', import.meta.url).href}';
  const [root, round] = process.argv.slice(1);
  const storage = await FileStorage.open(root);
  const write = async (lane) => {
    for (let i = 0; ; i++) {
      const rest = randomBytes(1 + (i * 7919 * (lane + 1)) % 300_000);
      const hash = createHash('sha256').update(rest).digest();
      const name = \`f\${i % 5}/r\${round}-l\${lane}-\${i}\`;
      await storage.put(name, [hash, rest.subarray(0, 1000), rest.subarray(1000)]);
      process.stdout.write(name + '\\n');
    }
  };
  await Promise.all([0, 1, 2, 3].map(write));
`;

/** Small and good enough for the choice of a moment: mulberry32. */
function seeded(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Kills the writer a while after its `after`-th confirmation. Gives the confirmed names. */
async function writeAndKill(root: string, round: number, after: number, waitMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, root, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A writer that never confirms enough is not left behind.
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const closed = new Promise<string | null>((resolve) => child.on('close', (_, signal) => resolve(signal)));
  const confirmed: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const read = new Promise<void>((resolve) => lines.on('close', resolve));
  lines.on('line', (line) => {
    confirmed.push(line);
    if (confirmed.length === after) setTimeout(() => child.kill('SIGKILL'), waitMs);
  });
  expect(await closed).toBe('SIGKILL');
  await read;
  return confirmed;
}

test(`after ${ROUNDS} kills every listed object is whole (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  const random = seeded(seed);
  const root = join(scratch, 'root');
  const storage = await FileStorage.create(root);
  let torn = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const confirmed = await writeAndKill(root, round, 1 + Math.floor(random() * 40), random() * 20);
    const listed = new Set<string>();
    for await (const { name, size } of listAll(storage, '')) {
      const bytes = await storage.get(name);
      const hash = createHash('sha256').update(bytes.subarray(32)).digest();
      expect({ name, length: bytes.length }).toEqual({ name, length: size });
      expect(hash.equals(bytes.subarray(0, 32)), `${name} is damaged`).toBe(true);
      listed.add(name);
    }
    expect(confirmed.filter((name) => !listed.has(name))).toEqual([]);
    torn += (await readdir(join(root, '~tmp'))).length;
    await storage.sweepTemporary(-60_000, systemClock.now());
    expect(await readdir(join(root, '~tmp'))).toEqual([]);
    for (const name of listed) await storage.delete(name);
  }
  // Kills that hit no put would prove nothing.
  expect(torn).toBeGreaterThan(0);
});
