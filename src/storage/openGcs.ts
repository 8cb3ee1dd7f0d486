import { readFile } from 'node:fs/promises';
import { messageOf } from '../domain/index.ts';
import type { Clock, Settings } from '../runtime/index.ts';
import { noCredentials, parseBucketAddress, parseEndpoint } from './bucketAddress.ts';
import type { BucketAddress } from './bucketAddress.ts';
import { GcsBucket } from './gcsBucket.ts';
import { SignInFailure } from './gcsErrors.ts';
import { GcsRequests } from './gcsRequests.ts';
import type { SignIn } from './gcsRequests.ts';
import { RemoteStorage } from './remoteStorage.ts';
import type { RemoteStorageOptions } from './remoteStorage.ts';

const FORM = {
  scheme: 'gs',
  example: 'gs://bucket/folder',
  bucket: /^[a-z0-9](?:[a-z0-9._-]{1,220})[a-z0-9]$/,
  parameters: ['endpoint'],
} as const;
const ENDPOINT = 'https://storage.googleapis.com';
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';

/** Opens a bucket. No request is made here: what is wrong with it or the credentials is told by the first call. */
export async function openGcs(
  url: string,
  { settings, clock, ...options }:
    { settings: Pick<Settings, 'gcsCredentialsFile' | 'gcsEmulator'>; clock: Clock } & RemoteStorageOptions,
): Promise<RemoteStorage> {
  const address = parseBucketAddress(url, FORM);
  const { gcsEmulator: emulator, gcsCredentialsFile: file } = settings;
  const given = address.parameters.get('endpoint');
  const endpoint = given ?? (emulator === undefined ? ENDPOINT : withScheme(emulator));
  const signIn = given === undefined && emulator !== undefined ? nobody : await signInByFile(file);
  const bucket = new GcsBucket(address.bucket, new GcsRequests(parseEndpoint(endpoint), signIn), { location: locationOf(address), clock });
  return new RemoteStorage(bucket, address.prefix, options);
}

/** Other tools take the variable with and without "http://". */
function withScheme(host: string): string {
  return host.includes('://') ? host : `http://${host}`;
}

const nobody: SignIn = async () => new Headers();

/** The library renews tokens in time. A service account's key signs each token here, so nobody is asked for one. */
async function signInByFile(file: string | undefined): Promise<SignIn> {
  if (file === undefined) {
    throw noCredentials('There are no credentials for gs:// addresses. Set GOOGLE_APPLICATION_CREDENTIALS to the file that holds them.');
  }
  const credentials = await credentialsIn(file);
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({ credentials, scopes: [SCOPE] });
  auth.useJWTAccessWithScope = true;
  return async () => {
    try {
      return await auth.getRequestHeaders();
    } catch (cause) {
      throw new SignInFailure(cause);
    }
  };
}

async function credentialsIn(file: string): Promise<object> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw noCredentials(`The credentials for gs:// addresses cannot be read from ${file} (${messageOf(cause)}).`, cause);
  }
  try {
    const credentials: unknown = JSON.parse(text);
    if (typeof credentials === 'object' && credentials !== null && 'type' in credentials) return credentials;
  } catch {
    // The message of the parser would repeat a piece of the file.
  }
  throw noCredentials(`${file} holds no credentials for gs:// addresses. Give the JSON file of a service account.`);
}

function locationOf({ bucket, prefix, parameters }: BucketAddress): string {
  const endpoint = parameters.get('endpoint');
  return `gs://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint === undefined ? '' : `?endpoint=${endpoint}`}`;
}
