import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../domain/index.ts';
import { readSettings, systemClock } from '../runtime/index.ts';
import type { Clock, Settings } from '../runtime/index.ts';
import type { ExportBucket } from './bucket/exportBucket.ts';
import type { Storage } from './contract.ts';
import { FileSink } from './fileSink.ts';
import { FileStorage } from './fileStorage.ts';
import type { ObjectSink } from './objectSink.ts';

/** One kind of place that an address can name. */
export interface StorageScheme {
  /** What stands before the ':' of its addresses. */
  readonly scheme: string;
  /** How such an address looks, for help and messages. */
  readonly example: string;
  open(url: string, options: OpenOptions): Promise<Storage>;
  /** The same place as one to export to. Nothing is looked at or made before its {@link ObjectSink.claim}. */
  openSink(url: string, options: SinkOptions): Promise<ObjectSink>;
}

interface SinkOptions {
  /** Where credentials come from. */
  readonly settings: Settings;
  readonly clock: Clock;
}

interface OpenOptions extends SinkOptions {
  /** Make the place if it is missing and can be made. */
  readonly create: boolean;
}

/** Every kind of place that repositories can be in. A new one is one line here. What needs a library loads it when it is asked for. */
export const storageSchemes: readonly StorageScheme[] = [
  {
    scheme: 'file', example: 'file:///srv/backup', open: (url, options) => openFolder(pathOfFileUrl(url), options),
    openSink: async (url) => new FileSink(pathOfFileUrl(url)),
  },
  {
    scheme: 's3', example: 's3://bucket/prefix?region=name',
    open: async (url, options) => (await import('./s3/s3Storage.ts')).S3Storage.open(url, options.settings),
    openSink: async (url, options) => bucketSink(await (await import('./s3/s3ExportBucket.ts')).S3ExportBucket.open(url, options.settings)),
  },
  {
    scheme: 'azblob', example: 'azblob://container/folder?account=NAME',
    open: async (url, options) => (await import('./azure/openAzure.ts')).openAzure(url, options),
    openSink: async (url, options) => bucketSink(await (await import('./azure/openAzure.ts')).openAzureExport(url, options)),
  },
  {
    scheme: 'gs', example: 'gs://bucket/folder',
    open: async (url, options) => (await import('./gcs/openGcs.ts')).openGcs(url, options),
    openSink: async (url, options) => bucketSink(await (await import('./gcs/openGcs.ts')).openGcsExport(url, options)),
  },
];

/** A letter before the colon alone is no scheme; "./s3:x" is how to name a folder that looks like one. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * Opens the storage at `url`: a path of a folder, or an address of one of {@link storageSchemes}.
 * With `create` a missing folder is made; otherwise it is `storage/no-location` (class input). Buckets are never made.
 * `settings` hold the credentials of buckets (default: from the environment).
 * Unknown kinds: `storage/unknown-scheme`, unusable addresses: `storage/bad-location` (both class input).
 */
export async function openStorage(url: string, options: Partial<OpenOptions> = {}): Promise<Storage> {
  const { create = false, settings = readSettings(), clock = systemClock } = options;
  if (url === '') throw badLocation('The place of the repository is empty. Give the path of a folder.');
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return openFolder(url, { create });
  const known = storageSchemes.find((candidate) => candidate.scheme === scheme);
  if (known === undefined) throw unknownScheme(scheme);
  return known.open(url, { create, settings, clock });
}

/**
 * The place to export to at `url`: a path of a folder, or an address of one of {@link storageSchemes}. Errors for unknown kinds and
 * unusable addresses, and `settings`, as for {@link openStorage}.
 */
export async function openSink(url: string, options: Partial<SinkOptions> = {}): Promise<ObjectSink> {
  const { settings = readSettings(), clock = systemClock } = options;
  if (url === '') throw badLocation('The place to export to is empty. Give the path of a folder.');
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return new FileSink(url);
  const known = storageSchemes.find((candidate) => candidate.scheme === scheme);
  if (known === undefined) throw unknownScheme(scheme);
  return known.openSink(url, { settings, clock });
}

async function bucketSink(bucket: ExportBucket): Promise<ObjectSink> {
  return new (await import('./bucket/bucketSink.ts')).BucketSink(bucket);
}

function openFolder(path: string, { create }: { create: boolean }): Promise<Storage> {
  return create ? FileStorage.create(path) : FileStorage.open(path);
}

function pathOfFileUrl(url: string): string {
  try {
    return fileURLToPath(new URL(url));
  } catch (error) {
    throw badLocation('A file address has the form file:///path/of/folder, without a host.', error);
  }
}

/** Names the scheme only: the rest of an address may hold a password. */
function unknownScheme(scheme: string): HoldfastError {
  const examples = storageSchemes.map((known) => known.example).join(', ');
  const message =
    `Places that start with "${scheme}:" are not supported. Give the path of a folder, or an address like ` +
    `${examples}. If it is a folder, write ./ before its name.`;
  return new HoldfastError('storage/unknown-scheme', 'input', message, { data: { scheme } });
}

function badLocation(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('storage/bad-location', 'input', message, { cause });
}
