import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './freePorts.ts';
import { entryOf, FIREBASE_TOOLS } from './serverPackages.ts';
import { startProcess, waitUntil } from './startProcess.ts';

export interface GcsEmulator {
  /** For STORAGE_EMULATOR_HOST. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * What the emulator lacks beside the service, as far as it matters here. Tests that need one of these use a server that
 * answers as the service's documents say.
 */
export const GCS_EMULATOR_GAPS: readonly string[] = [
  'any bucket is there: one that is named is made',
  'nobody has to sign in, and every token is taken',
  'startOffset of a listing is ignored',
  'preconditions (ifGenerationMatch) are ignored',
  'an upload that was cut off cannot be resumed: the first request for it ends it',
  'a range after the end gives the whole object in place of 416',
  'a wrong md5Hash is taken',
  'retention policies and holds',
];

/** Starts the storage emulator of firebase-tools by itself: without its rules, which would need Java. */
export async function startGcsEmulator(): Promise<GcsEmulator> {
  const entry = entryOf(FIREBASE_TOOLS);
  // The emulator keeps its files in a fixed folder below the temp directory.
  const directory = await mkdtemp(join(tmpdir(), 'gcs-emulator-'));
  const [port = 0] = await freePorts(1);
  const program = join(import.meta.dirname, 'gcsEmulatorProcess.ts');
  const server = startProcess('env', [`TMPDIR=${directory}`, process.execPath, program, entry, String(port)]);
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const answers = async (): Promise<boolean> => (await fetch(`${endpoint}/storage/v1/b/probe/o`).catch(() => undefined))?.ok === true;
    await waitUntil(answers, () => `the emulator of Cloud Storage did not start: ${server.output()}`, 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, stop };
}
