import type { HoldfastError } from '../../domain/index.ts';
import {
  bucketFull, clockIsOff, mayPass, networkError, noBucket, storageBusy, storageDenied, storageRefused,
} from '../bucket/bucketErrors.ts';
import type { Denial } from '../bucket/bucketErrors.ts';
import { GcsRefusal } from './gcsRequests.ts';
import type { RemoteOperation } from '../bucket/remoteBucket.ts';
import { objectNotFound, storageUnavailable } from '../storageErrors.ts';

/** Getting a token failed. What the library threw holds the request, with what it signs in by: it is looked at, not kept. */
export class SignInFailure extends Error {
  /** The token service's answer, if it was reached. */
  readonly answer: { readonly status: number; readonly date: string | null } | undefined;
  /** What broke below HTTP, if something did. */
  readonly code: string | undefined;

  constructor(thrown: unknown) {
    const { response, code } = thrown as { response?: Partial<Response>; code?: unknown };
    const answer = typeof response?.status === 'number' ? { status: response.status, date: response.headers?.get('date') ?? null } : undefined;
    super(`signing in failed${answer === undefined ? '' : ` with ${answer.status}`}`);
    this.name = 'SignInFailure';
    this.answer = answer;
    this.code = typeof code === 'string' ? code : undefined;
  }
}

/** Reasons (docs: "HTTP status and error codes for JSON") that a 403 has besides missing rights. */
const BUSY = new Set(['rateLimitExceeded', 'userRateLimitExceeded']);
const FULL = new Set(['quotaExceeded', 'dailyLimitExceeded', 'dailyLimitExceededUnreg']);
const LOCKED = new Set(['retentionPolicyNotMet', 'objectUnderActiveHold', 'objectRetentionNotMet']);

/** The contract's error for a failure of a request. What is none comes back as it is. */
export function gcsError(
  error: unknown,
  operation: RemoteOperation,
  { location, now }: { location: string; now: number },
): unknown {
  if (error instanceof SignInFailure) return signInError(error, location, now);
  if (error instanceof GcsRefusal) return refusalError(error, operation, location, now);
  return networkError(location, error) ?? failedFetch(error, location, operation.verb);
}

function refusalError(error: GcsRefusal, { verb, name }: RemoteOperation, location: string, now: number): HoldfastError {
  const { status, reason, headers } = error;
  if (status === 404) return verb === 'read' ? objectNotFound(location, name, error) : noBucket(location, 'bucket', error);
  if (FULL.has(reason) || status === 507) return bucketFull(location, error);
  if (BUSY.has(reason) || mayPass(status) || repeatHelps(status, verb)) {
    return storageBusy(location, `the service answered ${error.message}`, headers.get('retry-after') ?? undefined, error);
  }
  if (status === 401 || status === 403) return storageDenied(location, denialOf(error, now), error);
  return storageRefused(location, status, reason, error);
}

/** 410: the upload is gone; 412: the object changed between two requests; 400 is how a wrong MD5 is told. */
function repeatHelps(status: number, verb: RemoteOperation['verb']): boolean {
  return status === 410 || status === 412 || (status === 400 && verb === 'write');
}

function denialOf({ status, reason, headers }: GcsRefusal, now: number): Denial {
  if (LOCKED.has(reason)) return 'locked';
  if (status === 403) return 'rights';
  return clockIsOff(headers.get('date'), now) ? 'clock' : 'key';
}

function signInError(error: SignInFailure, location: string, now: number): HoldfastError {
  const { answer } = error;
  if (answer === undefined) return networkError(location, error) ?? storageDenied(location, 'key', error);
  if (mayPass(answer.status)) return storageUnavailable(location, 'the sign-in service does not work now', error);
  return storageDenied(location, clockIsOff(answer.date, now) ? 'clock' : 'key', error);
}

/** What `fetch` rejects with, whatever broke, is a TypeError with a cause. */
function failedFetch(error: unknown, location: string, verb: string): unknown {
  const failed = error instanceof TypeError && error.cause !== undefined;
  return failed ? storageUnavailable(location, `to ${verb} failed on the way`, error) : error;
}
