import type { Clock, GcsSettings } from '../../runtime/index.ts';
import { parseBucketAddress, parseEndpoint } from '../bucket/bucketAddress.ts';
import type { BucketAddress } from '../bucket/bucketAddress.ts';
import { GcsBucket } from './gcsBucket.ts';
import { GcsRequests } from './gcsRequests.ts';
import type { SignIn } from './gcsRequests.ts';
import { signInByFile } from './gcsSignIn.ts';
import { RemoteExport } from '../bucket/remoteExport.ts';
import { RemoteStorage } from '../bucket/remoteStorage.ts';
import type { RemoteStorageOptions } from '../bucket/remoteStorage.ts';

const FORM = {
  scheme: 'gs',
  example: 'gs://bucket/folder',
  bucket: /^[a-z0-9](?:[a-z0-9._-]{1,220})[a-z0-9]$/,
  parameters: ['endpoint'],
} as const;
const ENDPOINT = 'https://storage.googleapis.com';

type Options = { settings: { readonly gcs: GcsSettings }; clock: Clock };

/** Opens a bucket. No request is made here: what is wrong with it or the credentials is told by the first call. */
export async function openGcs(url: string, { settings, clock, ...options }: Options & RemoteStorageOptions): Promise<RemoteStorage> {
  const { bucket, prefix } = await bucketAt(url, { settings, clock });
  return new RemoteStorage(bucket, prefix, options);
}

/** The same bucket as a place to export to. */
export async function openGcsExport(url: string, options: Options): Promise<RemoteExport> {
  const { bucket, prefix } = await bucketAt(url, options);
  return new RemoteExport(bucket, prefix);
}

async function bucketAt(url: string, { settings, clock }: Options): Promise<{ bucket: GcsBucket; prefix: string }> {
  const address = parseBucketAddress(url, FORM);
  const { emulator, credentialsFile: file } = settings.gcs;
  const given = address.parameters.get('endpoint');
  const endpoint = given ?? (emulator === undefined ? ENDPOINT : withScheme(emulator));
  const server = parseEndpoint(endpoint);
  const signIn = given === undefined && emulator !== undefined ? nobody : await signInByFile(file);
  return { bucket: new GcsBucket(address.bucket, new GcsRequests(server, signIn), { location: locationOf(address), clock }), prefix: address.prefix };
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
