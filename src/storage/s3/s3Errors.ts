import { HoldfastError, isHoldfastError, messageOf } from '../../domain/index.ts';
import { objectNotFound, storageReadOnly, storageUnavailable } from '../storageErrors.ts';
import type { S3Location } from './s3Location.ts';

/** What was tried, for the message. `name` is an object's, or a prefix for a listing. */
export interface S3Operation {
  readonly verb: 'read' | 'write' | 'list' | 'delete' | 'look at' | 'lock' | 'lock more strictly' | 'look at the lock of' | 'look at the locks of' | 'delete a version of';
  readonly name: string;
}

/** What an error of the SDK tells, however it arose. */
interface Told {
  /** The service's code ("NoSuchKey"), the system's ("ECONNREFUSED"), or the SDK's ("TimeoutError"). */
  readonly code: string;
  /** 0 where no reply came. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Further elements of the service's reply. */
  readonly region: string | undefined;
  readonly text: string;
}

const WRONG_REGION = new Set(['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException', 'TemporaryRedirect']);
const WRONG_KEY = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidSecurity', 'UnrecognizedClientException']);
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'InvalidToken', 'InvalidClientTokenId']);
const FULL = new Set(['QuotaExceeded', 'InsufficientStorage', 'InsufficientCapacity', 'StorageFull', 'XMinioStorageFull', 'ServiceQuotaExceeded']);
const NO_SUCH_BUCKET = new Set(['NoSuchBucket', 'InvalidBucketName']);
/** Node's codes for a certificate that does not hold: of an unknown authority, out of date, or for another host. */
const UNTRUSTED = /^(ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY|DECRYPT)_)/;
const NOT_THERE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** Refusals with a status of their own that pass all the same. */
const PASSING = new Set(['SlowDown', 'RequestTimeout', 'Throttling', 'ThrottlingException', 'TooManyRequests', 'OperationAborted', 'NoSuchUpload']);

const RIGHTS = 's3:ListBucket on the bucket, s3:GetObject, s3:PutObject and s3:DeleteObject on its objects';
const VERSION_RIGHTS = 's3:DeleteObjectVersion on its objects';
const LOCK_RIGHTS = 's3:GetBucketObjectLockConfiguration and s3:ListBucketVersions on the bucket, s3:GetObjectRetention, s3:PutObjectRetention and s3:GetObjectVersion on its objects';
/** Compliance in the place of governance: some services ask a right of its own for it. */
const STRICTER_RIGHTS = 's3:BypassGovernanceRetention on its objects until a run has ended well, or stay with the mode governance';

/** No service may make us wait for longer than this. */
const MOST_RETRY_AFTER_S = 120;

/** The contract's error for what the SDK threw. A HoldfastError and a bug come back as they are. */
export function s3Error(error: unknown, location: S3Location, operation: S3Operation): unknown {
  if (isHoldfastError(error) || !(error instanceof Error)) return error;
  const told = tell(error);
  const at = location.shown;
  if (told.code === 'NoSuchKey' || told.code === 'NoSuchVersion') return objectNotFound(at, operation.name, error);
  return configurationError(told, location, error) ?? refusal(told, location, operation, error)
    ?? passing(told, location, operation, error) ?? error;
}

/** The HTTP status of an error of the SDK, 0 where no reply came. */
export function statusOf(error: unknown): number {
  return error instanceof Error ? tell(error).status : 0;
}

/** The service's or the system's word for an error; '' for what is no error. */
export function codeOf(error: unknown): string {
  return error instanceof Error ? tell(error).code : '';
}

function tell(error: Error): Told {
  const { name, message, code, Code, Region, $metadata, $response } = error as Error & Record<string, unknown> & {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Record<string, string> };
  };
  const headers = $response?.headers ?? {};
  const region = headers['x-amz-bucket-region'] ?? Region;
  return {
    code: [Code, code, name].find((text) => typeof text === 'string') as string,
    status: $response?.statusCode ?? $metadata?.httpStatusCode ?? 0,
    headers,
    region: typeof region === 'string' ? region : undefined,
    text: message,
  };
}

/** Address, keys or clock are wrong: the same for every call until a person changes them. */
function configurationError(told: Told, location: S3Location, cause: Error): HoldfastError | undefined {
  const { code, status } = told;
  const { shown, bucket } = location;
  const make = (kind: string, message: string): HoldfastError =>
    new HoldfastError(`storage/${kind}`, 'input', message, { data: { location: shown, reason: code }, cause });
  if (NO_SUCH_BUCKET.has(code)) {
    return make('no-location', `There is no bucket "${bucket}" (${shown}). Make it with the tools of its service, or correct the address.`);
  }
  if (WRONG_REGION.has(code) || status === 301) {
    const right = told.region === undefined ? 'its own region in the address: region=NAME' : `region=${told.region} in the address`;
    return make('wrong-region', `The bucket "${bucket}" is not in the region that was asked (${shown}). Give ${right}.`);
  }
  if (code === 'RequestTimeTooSkewed' || code === 'RequestExpired') {
    return make('wrong-clock', `${shown} refuses this machine's time. Set the clock (time synchronisation), then try again.`);
  }
  if (EXPIRED.has(code)) {
    return make('expired-credentials', `The temporary keys for ${shown} have ended or do not count. Get new ones, with their AWS_SESSION_TOKEN.`);
  }
  if (WRONG_KEY.has(code)) {
    const what = code === 'InvalidAccessKeyId' ? 'does not know the access key' : 'refuses the signature: the secret key is not the one of the access key';
    return make('bad-credentials', `${shown} ${what}. Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the credentials file.`);
  }
  if (UNTRUSTED.test(code)) {
    return make('untrusted-certificate', `The certificate of ${shown} is not trusted (${code}). Correct the host name, or name its authority by ca-file=/path.pem in the address.`);
  }
  if (/wrong version number|packet length too long|http request/i.test(told.text) && status === 0) {
    return make('bad-location', `${shown} does not speak TLS. If it is meant to be spoken to in the clear, write endpoint=http://… in the address.`);
  }
  return undefined;
}

function rightsFor(verb: S3Operation['verb']): string {
  if (verb === 'delete a version of') return VERSION_RIGHTS;
  if (verb === 'lock more strictly') return STRICTER_RIGHTS;
  return verb.includes('lock') ? LOCK_RIGHTS : RIGHTS;
}

/** The service understood, and says no to this call. */
function refusal(told: Told, location: S3Location, { verb, name }: S3Operation, cause: Error): HoldfastError | undefined {
  const { code, status } = told;
  const facts = { data: { location: location.shown, name, reason: code, status }, cause };
  if (FULL.has(code) || status === 507) {
    const message = `${location.shown} is full (${code}). Raise its quota or free space there. Nothing is lost.`;
    return new HoldfastError('storage/full', 'input', message, facts);
  }
  if (status === 405 && verb !== 'read') return storageReadOnly(location.shown, cause);
  if (PASSING.has(code)) return undefined;
  if (status === 401 || status === 403) {
    const message = `The keys do not allow to ${verb} ${name === '' ? location.shown : `"${name}" in ${location.shown}`} (${code}). `
      + `Look whether they are the right ones and have not ended, and grant ${rightsFor(verb)}.`;
    return new HoldfastError('storage/denied', 'input', message, facts);
  }
  if (status < 400 || status >= 500 || status === 408 || status === 409 || status === 429) return undefined;
  const message = `${location.shown} refused to ${verb} "${name}" (${code}, HTTP ${status}). Look whether it is an S3 service: holdfast storage test.`;
  return new HoldfastError('storage/refused', 'never', message, facts);
}

function passing(told: Told, location: S3Location, { verb, name }: S3Operation, cause: Error): HoldfastError | undefined {
  const { code, status, headers } = told;
  if (NOT_THERE.has(code)) {
    const place = location.endpoint ?? 'the service';
    const message = `Nothing answers at ${place} for ${location.shown} (${code}). Check the endpoint in the address, the network, and whether the service runs.`;
    return new HoldfastError('storage/unavailable', 'retry', message, { data: { location: location.shown, reason: code }, cause });
  }
  if (isBug(cause)) return undefined;
  const what = `to ${verb}${name === '' ? '' : ` "${name}"`} failed (${status === 0 ? messageOf(cause) : `${code}, HTTP ${status}`})`;
  const failure = storageUnavailable(location.shown, what, cause);
  const seconds = Number(headers['retry-after']);
  if (!(seconds > 0)) return failure;
  const data = { ...failure.data, retryAfterMs: Math.min(seconds, MOST_RETRY_AFTER_S) * 1000 };
  return new HoldfastError(failure.code, failure.retryClass, failure.message, { data, cause });
}

/** A mistake of the program itself: nothing that came over the line, and no system call. */
function isBug(error: Error): boolean {
  return (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) && !('code' in error) && !('$metadata' in error);
}
