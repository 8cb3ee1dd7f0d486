import { HoldfastError } from '../../domain/index.ts';
import { storageUnavailable } from '../storageErrors.ts';

/** Why a service denies a call. */
export type Denial = 'key' | 'expired' | 'clock' | 'rights' | 'locked';

const ADVICE: Readonly<Record<Denial, string>> = {
  key: 'does not accept the credentials. Check that the key or token is complete, still valid, and belongs to this account',
  expired: 'does not accept the token, because its time is over. Make a new one',
  clock: "does not accept the request, because this machine's clock is wrong. Set it, and let it be kept right (NTP)",
  rights:
    'does not allow this. The credentials need the rights to read, write, list and delete objects, and network rules must let this machine in',
  locked: 'refuses to change the object, because a retention policy, a hold or a lease protects it. Wait for its end, or lift it',
};

/** `storage/denied` (class input): the service knows who asks, or does not, and says no. */
export function storageDenied(location: string, reason: Denial, cause: unknown): HoldfastError {
  return new HoldfastError('storage/denied', 'input', `${location} ${ADVICE[reason]}.`, { data: { location, reason }, cause });
}

/** `storage/no-location` (class input): there is no such container or bucket. */
export function noBucket(location: string, what: string, cause?: unknown): HoldfastError {
  const message = `There is no ${what} at ${location}. Check the name in the address, or make it first: it is not made here.`;
  return new HoldfastError('storage/no-location', 'input', message, { data: { location }, cause });
}

/** `storage/full` (class input): a quota or a disk is used up. */
export function bucketFull(location: string, cause: unknown): HoldfastError {
  const message = `${location} takes nothing more, because a quota is used up. Raise it, or free some space. Nothing is lost.`;
  return new HoldfastError('storage/full', 'input', message, { data: { location }, cause });
}

/** `storage/refused` (class never): an answer that stands for a bug, here or there. `code` is the service's own. */
export function storageRefused(location: string, status: number, code: string, cause: unknown): HoldfastError {
  const message = `${location} refused a request that it should take (${status}${code === '' ? '' : ` ${code}`}). Please report this.`;
  return new HoldfastError('storage/refused', 'never', message, { data: { location, status, code }, cause });
}

/** `storage/unavailable` with the time that the service asks to wait; `retryAfter` is the header of that name. */
export function storageBusy(location: string, what: string, retryAfter: string | undefined, cause: unknown): HoldfastError {
  const busy = storageUnavailable(location, what, cause);
  const seconds = Number(retryAfter);
  if (retryAfter === undefined || !(seconds > 0 && seconds <= 600)) return busy;
  const data = { ...busy.data, retryAfterMs: seconds * 1000 };
  return new HoldfastError(busy.code, busy.retryClass, busy.message, { data, cause });
}

/** Whether an answer of that status may be another one later. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 507);
}

/** Codes of Node's network and TLS layers, in words. */
const NETWORK: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nobody listens at that address and port'],
  ['ENOTFOUND', 'no server has that name; check account and endpoint'],
  ['EAI_AGAIN', 'the name of the server cannot be looked up now'],
  ['ECONNRESET', 'the connection broke'],
  ['EPIPE', 'the connection broke'],
  ['UND_ERR_SOCKET', 'the connection broke'],
  ['ETIMEDOUT', 'the connection could not be made in time'],
  ['UND_ERR_CONNECT_TIMEOUT', 'the connection could not be made in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'the server did not answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'the server stopped in the middle of an answer'],
  ['EHOSTUNREACH', 'there is no way to that server'],
  ['ENETUNREACH', 'there is no way to that server'],
]);
const CERTIFICATE = /^(?:CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/;

/** The contract's error for a failure below HTTP, or undefined where `error` is none. Its codes are looked for in all causes. */
export function networkError(location: string, error: unknown, cause = error): HoldfastError | undefined {
  for (const code of codesOf(error)) {
    if (CERTIFICATE.test(code)) {
      const message = `The certificate of ${location} cannot be trusted (${code}). Check the endpoint, and the certificates of this machine.`;
      return new HoldfastError('storage/untrusted', 'input', message, { data: { location, code }, cause });
    }
    const what = NETWORK.get(code);
    if (what !== undefined) return storageUnavailable(location, `${what} (${code})`, cause);
  }
  return undefined;
}

function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  const visit = (part: unknown, depth: number): void => {
    if (typeof part !== 'object' || part === null || depth > 5) return;
    if ('code' in part && typeof part.code === 'string') codes.push(part.code);
    if ('cause' in part) visit(part.cause, depth + 1);
    if (part instanceof AggregateError) for (const inner of part.errors) visit(inner, depth + 1);
  };
  visit(error, 0);
  return codes;
}

/** Services refuse requests that are 15 minutes off; what is near to it may come from the way there. */
const MOST_SKEW_MS = 10 * 60_000;

/** Whether the Date header of an answer tells that this machine's clock is wrong. `now` in milliseconds since 1970. */
export function clockIsOff(date: string | null | undefined, now: number): boolean {
  const theirs = date ? Date.parse(date) : Number.NaN;
  return Math.abs(theirs - now) > MOST_SKEW_MS;
}
