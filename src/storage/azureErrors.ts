import { RestError } from '@azure/storage-blob';
import type { HoldfastError } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import {
  bucketFull, clockIsOff, mayPass, networkError, noBucket, storageBusy, storageDenied, storageRefused,
} from './bucketErrors.ts';
import type { Denial } from './bucketErrors.ts';
import type { RemoteOperation } from './remoteBucket.ts';
import { objectNotFound, storageUnavailable } from './storageErrors.ts';

/** What the service's answers are read against. */
export interface AzureErrorContext {
  readonly location: string;
  readonly clock: Clock;
  /** When the token in use ends, in milliseconds since 1970; undefined for a key, or where the token does not say. */
  readonly tokenEnds: number | undefined;
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}

/** Codes of the service (docs: "Common REST API error codes", "Blob service error codes") that say more than their status. */
const NO_CONTAINER = new Set(['ContainerNotFound', 'ContainerBeingDeleted', 'ContainerDisabled']);
const LOCKED = new Set([
  'BlobImmutableDueToPolicy', 'LeaseIdMissing', 'LeaseLost', 'SnapshotsPresent', 'OperationNotAllowedOnRootBlob',
]);
/** Repeating the whole put helps: blocks are gone, or bytes were damaged on the way. */
const AGAIN = new Set(['InvalidBlockList', 'Md5Mismatch', 'Crc64Mismatch', 'ConditionNotMet', 'AccountBeingCreated']);
const FULL = new Set(['AccountLimitExceeded', 'QuotaExceeded', 'InsufficientStorage']);

/**
 * The contract's error for an error of the SDK. Its message is never repeated: it may hold the address with a token.
 * What the SDK did not make comes back as it is.
 */
export function azureError(error: unknown, operation: RemoteOperation, context: AzureErrorContext): unknown {
  const { location } = context;
  if (!(error instanceof RestError)) return networkError(location, error) ?? error;
  if (error.statusCode !== undefined) return answerError(error, error.statusCode, operation, context);
  return networkError(location, error) ?? storageUnavailable(location, `to ${operation.verb} failed on the way`, error);
}

function answerError(error: RestError, status: number, { verb, name }: RemoteOperation, context: AzureErrorContext): HoldfastError {
  const { location } = context;
  const code = error.response?.headers.get('x-ms-error-code') ?? error.code ?? '';
  if (NO_CONTAINER.has(code)) return noBucket(location, 'container', error);
  if (LOCKED.has(code)) return storageDenied(location, 'locked', error);
  if (FULL.has(code) || status === 507) return bucketFull(location, error);
  if (status === 404) return verb === 'read' ? objectNotFound(location, name, error) : noBucket(location, 'container', error);
  if (status === 401 || status === 403) return storageDenied(location, denialOf(error, code, context), error);
  if (!AGAIN.has(code) && !mayPass(status)) return storageRefused(location, status, code, error);
  return storageBusy(location, `the service answered ${status} ${code}`.trimEnd(), error.response?.headers.get('retry-after'), error);
}

/** A wrong key, a wrong clock and an old token have one code; the service tells them apart in prose, if at all. */
function denialOf(error: RestError, code: string, { clock, tokenEnds }: AzureErrorContext): Denial {
  const now = clock.now();
  if (clockIsOff(error.response?.headers.get('date'), now)) return 'clock';
  const told = error.response?.bodyAsText ?? '';
  if ((tokenEnds !== undefined && tokenEnds <= now) || told.includes('Signature not valid in the specified time frame')) return 'expired';
  return ['AuthenticationFailed', 'InvalidAuthenticationInfo', 'NoAuthenticationInformation', ''].includes(code) ? 'key' : 'rights';
}
