import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { freePorts } from './freePorts.ts';
import { AZURITE, entryOf } from './serverPackages.ts';
import { startProcess, waitUntil } from './startProcess.ts';

export interface Azurite {
  readonly account: string;
  readonly key: string;
  /** With the account in its path, as the server has it. */
  readonly endpoint: string;
  /** The account's own client, which tests prepare and look with. */
  readonly client: BlobServiceClient;
  stop(): Promise<void>;
}

/**
 * Starts Microsoft's own emulator of Azure Blob Storage with one account. What it lacks beside the service, as far as it
 * matters here: immutability policies and legal holds (501), and accounts with a hierarchical namespace.
 */
export async function startAzurite(): Promise<Azurite> {
  const entry = entryOf(AZURITE);
  const directory = await mkdtemp(join(tmpdir(), 'azurite-'));
  const [port = 0] = await freePorts(1);
  const account = 'holdfasttest';
  const key = randomBytes(64).toString('base64');
  const settings = ['--silent', '--disableTelemetry', '--skipApiVersionCheck', '-l', directory];
  const server = startProcess('env', [
    `AZURITE_ACCOUNTS=${account}:${key}`, process.execPath, entry, ...settings, '--blobHost', '127.0.0.1', '--blobPort', String(port),
  ]);
  const endpoint = `http://127.0.0.1:${port}/${account}`;
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    // Without a signature it answers 403, and so it is up.
    const answers = async (): Promise<boolean> => (await fetch(`${endpoint}?comp=list`).catch(() => undefined))?.status === 403;
    await waitUntil(answers, () => `Azurite did not start: ${server.output()}`, 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  const client = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, key), { retryOptions: { maxTries: 1 } });
  return { account, key, endpoint, client, stop };
}
