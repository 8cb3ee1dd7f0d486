import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HoldfastError, isHoldfastError, type Progress } from '../domain/index.ts';
import { retry, systemRandom } from '../runtime/index.ts';
import { formatRecoveryKey, lockWarnings, makeKeyFile, parseRecoveryKey, readKeyFile, Repository, type LockSetting } from '../repository/index.ts';
import { noLocks, openStorage, RetryingStorage, type Storage } from '../storage/index.ts';
import type { CommandContext } from './commandContext.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';
import { readSecret } from './readSecret.ts';
import type { RepositoryOptions } from './sharedOptions.ts';

/** Of each call on the storage, with waits of up to half a minute in all: a long run outlasts a short failure. */
const ATTEMPTS = 8;

/** A repository that was made just now. */
export interface MadeRepository {
  readonly repository: Repository;
  readonly keyFile: string;
  readonly keyFileMade: boolean;
  /** To be shown to the person, once. */
  readonly recoveryKey: string;
}

/** Opens the repository that options or settings name. `progress` is told when the storage has to be waited for. */
export async function openRepository(
  context: CommandContext, options: RepositoryOptions, progress?: Progress,
): Promise<Repository> {
  const url = addressOf(context, options);
  const key = await keyOf(context, options);
  const repository = await Repository.open(await openPatiently(context, url, { create: false }, progress), key, openOptions(context));
  for (const warning of lockWarnings(repository.context)) context.stderr.write(`warning: ${printable(warning)}\n`);
  return repository;
}

/** As {@link openRepository}, with a key that was typed or read already. */
export async function openWithKey(context: CommandContext, options: RepositoryOptions, key: Uint8Array): Promise<Repository> {
  return Repository.open(await openPatiently(context, addressOf(context, options), { create: false }), key, openOptions(context));
}

/** A place for a copy, made where it is missing. */
export async function openPlace(context: CommandContext, url: string, progress: Progress): Promise<Storage> {
  return openPatiently(context, url, { create: true }, progress);
}

/**
 * Makes a repository where the options say, and its key file unless there is one. Refuses a place that has a repository
 * (`repository/exists`) and a key file inside the repository (`cli/key-in-repository`).
 */
export async function makeRepository(
  context: CommandContext, options: RepositoryOptions, lock?: LockSetting,
): Promise<MadeRepository> {
  const url = addressOf(context, options);
  const keyFile = keyFileOf(context, options);
  if (keyFile === undefined) throw usageError('no-key', `Say where the key is to be kept: --key-file FILE or HOLDFAST_KEY_FILE.`);
  const storage = await openPatiently(context, url, { create: true });
  mustBeApart(keyFile, storage);
  if (await hasRepository(storage, context)) {
    throw new HoldfastError('repository/exists', 'input',
      `There is a repository at ${storage.location} already. Use it, or choose another place.`);
  }
  if (lock && !(await storage.locks?.state({ signal: context.signal }))?.available) throw noLocks(storage.location);
  const keyFileMade = !existsSync(keyFile);
  // The key is on disk before anything is sealed with it.
  const key = keyFileMade ? makeKeyFile(keyFile, systemRandom) : operatorKey(context, keyFile);
  const recovery = systemRandom(32);
  const repository = await Repository.init(storage, key, recovery, { ...openOptions(context), lock });
  return { repository, keyFile: resolve(keyFile), keyFileMade, recoveryKey: formatRecoveryKey(recovery) };
}

/** As {@link openRepository}, but what is missing is made. */
export async function openOrMakeRepository(
  context: CommandContext, options: RepositoryOptions, progress?: Progress,
): Promise<{ repository: Repository; made?: MadeRepository }> {
  const url = addressOf(context, options);
  const storage = await openPatiently(context, url, { create: true });
  if (await hasRepository(storage, context)) return { repository: await openRepository(context, options, progress) };
  const made = await makeRepository(context, options);
  return { repository: made.repository, made };
}

function addressOf({ settings }: CommandContext, { repo }: RepositoryOptions): string {
  const url = repo ?? settings.repository;
  if (!url) throw usageError('no-repository', 'Say which repository: --repo URL or HOLDFAST_REPO.');
  return url;
}

function keyFileOf({ settings }: CommandContext, { keyFile }: RepositoryOptions): string | undefined {
  return keyFile ?? settings.keyFile;
}

async function keyOf(context: CommandContext, options: RepositoryOptions): Promise<Uint8Array> {
  if (options.recoveryKeyFile !== undefined) {
    return parseRecoveryKey(await readSecret('recovery key', options.recoveryKeyFile, context.stdin));
  }
  const keyFile = keyFileOf(context, options);
  if (keyFile === undefined) {
    throw usageError('no-key', 'Give the key of the repository: --key-file FILE or HOLDFAST_KEY_FILE, or --recovery-key-file FILE.');
  }
  return operatorKey(context, keyFile);
}

function operatorKey({ stderr }: CommandContext, path: string): Uint8Array {
  const { key, warning } = readKeyFile(path);
  if (warning !== undefined) stderr.write(`warning: ${printable(warning)}\n`);
  return key;
}

/** Opening with no key at all tells it, and writes nothing. */
async function hasRepository(storage: Storage, context: CommandContext): Promise<boolean> {
  try {
    await Repository.open(storage, new Uint8Array(32), openOptions(context));
    return true;
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    if (error.code === 'repository/none') return false;
    if (error.code === 'repository/wrong-key') return true;
    throw error;
  }
}

function openOptions({ settings, clock }: CommandContext): { cacheDirectory: string; clock: CommandContext['clock'] } {
  return { cacheDirectory: join(settings.cacheDirectory, 'repositories'), clock };
}

function around({ settings, clock }: CommandContext): Pick<CommandContext, 'settings' | 'clock'> {
  return { settings, clock };
}

/** The storage at `url`, which repeats what may pass, opening included. `progress` is told when it has to be waited for. */
export async function openPatiently(
  context: CommandContext, url: string, { create }: { create: boolean }, progress?: Progress,
): Promise<Storage> {
  const options = { random: systemRandom, ...(progress && { onRetry: () => progress({ type: 'waiting', for: 'the storage of the repository' }) }) };
  return new RetryingStorage(await retry(() => openStorage(url, { create, ...around(context) }), { ...options, signal: context.signal }), { ...options, attempts: ATTEMPTS });
}

/** A key beside the data that it opens protects nothing. */
export function mustBeApart(keyFile: string, { location }: Storage): void {
  if (!location.startsWith('file:')) return;
  const folder = fileURLToPath(location);
  const key = realPathOf(resolve(keyFile));
  if (!key.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return;
  throw new HoldfastError('cli/key-in-repository', 'input',
    `The key file ${keyFile} would lie inside the repository that it opens. Keep it somewhere else.`);
}

/** Links above the file followed, whether or not the file exists. */
function realPathOf(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) ? join(realpathSync(folder), basename(path)) : path;
}
