import {
  AnonymousCredential, BlobServiceClient, StorageSharedKeyCredential, type ContainerClient, type StoragePipelineOptions,
} from '@azure/storage-blob';
import type { AzureSettings, Clock } from '../../runtime/index.ts';
import { AzureBucket } from './azureBucket.ts';
import { badAddress, noCredentials, parseBucketAddress, parseEndpoint } from '../bucket/bucketAddress.ts';
import type { BucketAddress } from '../bucket/bucketAddress.ts';
import { RemoteExport } from '../bucket/remoteExport.ts';
import { RemoteStorage } from '../bucket/remoteStorage.ts';
import type { RemoteStorageOptions } from '../bucket/remoteStorage.ts';

const FORM = {
  scheme: 'azblob',
  example: 'azblob://container/folder?account=NAME',
  // Also $root, $web: containers that the service makes itself.
  bucket: /^(?:[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web)$/,
  parameters: ['account', 'endpoint'],
} as const;
const ACCOUNT = /^[a-z0-9]{3,24}$/;
/** Repeating is done in one place, over all storages. */
const PIPELINE: StoragePipelineOptions = { retryOptions: { maxTries: 1 }, userAgentOptions: { userAgentPrefix: 'holdfast' } };

type Options = { settings: { readonly azure: AzureSettings }; clock: Clock };

/** Opens a container. No request is made here: what is wrong with name or key is told by the first call. */
export async function openAzure(url: string, { settings, clock, ...options }: Options & RemoteStorageOptions): Promise<RemoteStorage> {
  const { bucket, prefix } = bucketAt(url, { settings, clock });
  return new RemoteStorage(bucket, prefix, options);
}

/** The same container as a place to export to. */
export async function openAzureExport(url: string, options: Options): Promise<RemoteExport> {
  const { bucket, prefix } = bucketAt(url, options);
  return new RemoteExport(bucket, prefix);
}

function bucketAt(url: string, { settings, clock }: Options): { bucket: AzureBucket; prefix: string } {
  const address = parseBucketAddress(url, FORM);
  const { client, account, tokenEnds } = serviceOf(address, settings.azure);
  const location = locationOf(address, account);
  return { bucket: new AzureBucket(client.getContainerClient(address.bucket), { location, clock, tokenEnds }), prefix: address.prefix };
}

interface Service {
  readonly client: { getContainerClient(name: string): ContainerClient };
  readonly account: string;
  readonly tokenEnds: number | undefined;
}

/** The connection string wins over the key, the key over the token. */
function serviceOf({ parameters }: BucketAddress, settings: AzureSettings): Service {
  const named = parameters.get('account') ?? settings.account;
  if (named !== undefined && !ACCOUNT.test(named)) throw badAddress('The name of a storage account has 3 to 24 letters a-z and digits.');
  const given = parameters.get('endpoint');
  if (settings.connectionString !== undefined) return byConnectionString(settings.connectionString, named, given);
  if (named === undefined) throw badAddress('Name the storage account: ?account=NAME in the address, or AZURE_STORAGE_ACCOUNT.');
  const endpoint = given === undefined ? `https://${named}.blob.core.windows.net` : parseEndpoint(given);
  if (settings.key !== undefined) {
    const credential = new StorageSharedKeyCredential(named, checkedKey(settings.key));
    return { client: new BlobServiceClient(endpoint, credential, PIPELINE), account: named, tokenEnds: undefined };
  }
  if (settings.sasToken === undefined) {
    const names = 'AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING';
    throw noCredentials(`There are no credentials for the storage account ${named}. Set one of ${names}.`);
  }
  const token = settings.sasToken.replace(/^\?/, '');
  const client = new BlobServiceClient(`${endpoint}?${token}`, new AnonymousCredential(), PIPELINE);
  return { client, account: named, tokenEnds: endOf(token) };
}

function byConnectionString(text: string, named: string | undefined, endpoint: string | undefined): Service {
  if (endpoint !== undefined) {
    throw badAddress('Give the endpoint in the address or in AZURE_STORAGE_CONNECTION_STRING, not in both.');
  }
  const client = parsedConnectionString(text);
  parseEndpoint(client.url.split('?')[0] ?? '');
  const account = client.accountName;
  if (named !== undefined && named !== account) {
    throw badAddress(`AZURE_STORAGE_CONNECTION_STRING is for the account ${account}, but the address names ${named}.`);
  }
  return { client, account, tokenEnds: endOf(client.url.split('?')[1] ?? '') };
}

/** The library's own message may repeat the text. */
function parsedConnectionString(text: string): BlobServiceClient {
  try {
    return BlobServiceClient.fromConnectionString(text, PIPELINE);
  } catch {
    throw noCredentials('AZURE_STORAGE_CONNECTION_STRING cannot be read. Copy it whole from the page of the storage account.');
  }
}

/** Node takes anything for base64; a mistyped key would only be found out by the service. */
function checkedKey(key: string): string {
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(key) && key.length % 4 === 0) return key;
  throw noCredentials('AZURE_STORAGE_KEY is not a key of a storage account: those are base64. Copy it whole.');
}

/** The parameter `se` of a token. */
function endOf(token: string): number | undefined {
  const end = Date.parse(new URLSearchParams(token).get('se') ?? '');
  return Number.isNaN(end) ? undefined : end;
}

function locationOf({ bucket, prefix, parameters }: BucketAddress, account: string): string {
  const endpoint = parameters.get('endpoint');
  const shown = endpoint === undefined ? '' : `&endpoint=${endpoint}`;
  return `azblob://${bucket}${prefix === '' ? '' : `/${prefix}`}?account=${account}${shown}`;
}
