import { RestError } from '@azure/storage-blob';
import type { HoldfastError } from '../../domain/index.ts';
import type { Clock } from '../../runtime/index.ts';
import {
  bucketFull, clockIsOff, mayPass, networkError, noBucket, storageBusy, storageDenied, storageRefused,
} from '../bucket/bucketErrors.ts';
import type { Denial } from '../bucket/bucketErrors.ts';
import type { RemoteOperation } from '../bucket/remoteBucket.ts';
import { objectNotFound, storageUnavailable } from '../storageErrors.ts';

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
 * The contract's error for an error of the SDK. What the SDK did not make comes back as it is.
 * Neither message nor cause is the SDK's: with it goes the whole request, and with that its token.
 */
export function azureError(error: unknown, operation: RemoteOperation, context: AzureErrorContext): unknown {
  const { location } = context;
  if (!(error instanceof RestError)) return networkError(location, error) ?? error;
  const cause = causeOf(error);
  if (error.statusCode !== undefined) return answerError(error, error.statusCode, cause, operation, context);
  return networkError(location, error, cause) ?? storageUnavailable(location, `to ${operation.verb} failed on the way`, cause);
}

function answerError(
  error: RestError, status: number, cause: Error, { verb, name }: RemoteOperation, context: AzureErrorContext,
): HoldfastError {
  const { location } = context;
  const code = codeOf(error);
  if (NO_CONTAINER.has(code)) return noBucket(location, 'container', cause);
  if (LOCKED.has(code)) return storageDenied(location, 'locked', cause);
  if (FULL.has(code) || status === 507) return bucketFull(location, cause);
  if (status === 404) return verb === 'read' ? objectNotFound(location, name, cause) : noBucket(location, 'container', cause);
  if (status === 401 || status === 403) return storageDenied(location, denialOf(error, code, context), cause);
  if (!AGAIN.has(code) && !mayPass(status)) return storageRefused(location, status, code, cause);
  return storageBusy(location, `the service answered ${status} ${code}`.trimEnd(), error.response?.headers.get('retry-after'), cause);
}

/** Answers to HEAD have no body: then the header alone tells it. */
export function codeOf(error: unknown): string {
  if (!(error instanceof RestError)) return '';
  return error.response?.headers.get('x-ms-error-code') ?? error.code ?? '';
}

/** What the service's support asks for. */
function causeOf(error: RestError): Error {
  const request = error.response?.headers.get('x-ms-request-id');
  return new Error([error.name, error.statusCode, codeOf(error), request && `(request ${request})`].filter(Boolean).join(' '));
}

/** A wrong key, a wrong clock and an old token have one code; the service tells them apart in prose, if at all. */
function denialOf(error: RestError, code: string, { clock, tokenEnds }: AzureErrorContext): Denial {
  const now = clock.now();
  if (clockIsOff(error.response?.headers.get('date'), now)) return 'clock';
  const told = error.response?.bodyAsText ?? '';
  if ((tokenEnds !== undefined && tokenEnds <= now) || told.includes('Signature not valid in the specified time frame')) return 'expired';
  // Network rules and missing rights have this code; Azurite gives it for a wrong key too.
  if (code === 'AuthorizationFailure') return told.includes('not authorized') ? 'rights' : 'key';
  return ['AuthenticationFailed', 'InvalidAuthenticationInfo', 'NoAuthenticationInformation', ''].includes(code) ? 'key' : 'rights';
}
