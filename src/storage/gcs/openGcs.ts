import type { Clock, GcsSettings } from '../../runtime/index.ts';
import { parseBucketAddress, parseEndpoint } from '../bucket/bucketAddress.ts';
import type { BucketAddress } from '../bucket/bucketAddress.ts';
import { GcsBucket } from './gcsBucket.ts';
import { GcsRequests } from './gcsRequests.ts';
import type { SignIn } from './gcsRequests.ts';
import { signInByFile } from './gcsSignIn.ts';
import { RemoteStorage } from '../bucket/remoteStorage.ts';
import type { RemoteStorageOptions } from '../bucket/remoteStorage.ts';

const FORM = {
  scheme: 'gs',
  example: 'gs://bucket/folder',
  bucket: /^[a-z0-9](?:[a-z0-9._-]{1,220})[a-z0-9]$/,
  parameters: ['endpoint'],
} as const;
const ENDPOINT = 'https://storage.googleapis.com';
/** Opens a bucket. No request is made here: what is wrong with it or the credentials is told by the first call. */
export async function openGcs(
  url: string,
  { settings, clock, ...options }:
    { settings: { readonly gcs: GcsSettings }; clock: Clock } & RemoteStorageOptions,
): Promise<RemoteStorage> {
  const address = parseBucketAddress(url, FORM);
  const { emulator, credentialsFile: file } = settings.gcs;
  const given = address.parameters.get('endpoint');
  const endpoint = given ?? (emulator === undefined ? ENDPOINT : withScheme(emulator));
  const server = parseEndpoint(endpoint);
  const signIn = given === undefined && emulator !== undefined ? nobody : await signInByFile(file);
  const bucket = new GcsBucket(address.bucket, new GcsRequests(server, signIn), { location: locationOf(address), clock });
  return new RemoteStorage(bucket, address.prefix, options);
}

/** Other tools take the variable with and without "http://". */
function withScheme(host: string): string {
  return host.includes('://') ? host : `http://${host}`;
}

const nobody: SignIn = async () => new Headers();

function locationOf({ bucket, prefix, parameters }: BucketAddress): string {
  const endpoint = parameters.get('endpoint');
  return `gs://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint === undefined ? '' : `?endpoint=${endpoint}`}`;
}
