import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';

const TLS = /^ERR_(SSL|TLS)|CERT|SIGNATURE|SELF_SIGNED|^EPROTO$/;

/**
 * What the network did, as an error of ours. Codes: http/unknown-host, http/tls (input) · http/unavailable (retry). `where`: the host alone, since
 * addresses may carry tokens.
 */
export function networkError(error: unknown, where: string): HoldfastError {
  if (isHoldfastError(error)) return error;
  const code = codeOf(error);
  // Only words go along: errors of fetch carry the request.
  const options = { data: { host: where, reason: code }, cause: new Error(messageOf(error)) };
  if (code === 'ENOTFOUND') {
    return new HoldfastError('http/unknown-host', 'input', `There is no host of the name ${where}. Check the spelling, and the network.`, options);
  }
  if (TLS.test(code)) {
    return new HoldfastError('http/tls', 'input', `The connection to ${where} is not safe (${code}). Check the address and the certificates that this machine trusts.`, options);
  }
  const reason = code === '' ? '' : ` (${code})`;
  return new HoldfastError('http/unavailable', 'retry', `The connection to ${where} failed${reason}. Check the network, then try again.`, options);
}

export function timedOut(where: string, what: string, ms: number): HoldfastError {
  return new HoldfastError('http/timeout', 'retry', `${where} gave no ${what} for ${Math.round(ms / 1000)} seconds. Try again later.`, { data: { host: where } });
}

/** A body that is not all there, although its status said that all is well. */
export function truncated(where: string, detail: string): HoldfastError {
  return new HoldfastError('http/truncated', 'retry', `An answer of ${where} was not whole (${detail}). Try again.`, { data: { host: where } });
}

export function tooLarge(where: string, most: number): HoldfastError {
  return new HoldfastError('http/too-large', 'never', `An answer of ${where} is larger than ${most} bytes, which is more than it should be.`, { data: { host: where } });
}

/** True for errors of the connection, as against answers. */
export function isConnectionError(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && error.retryClass === 'retry' && error.code.startsWith('http/');
}

/** fetch hides the reason one or more causes down. */
function codeOf(error: unknown): string {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && typeof at === 'object' && at !== null; depth++) {
    const { code, cause, errors } = at as { code?: unknown; cause?: unknown; errors?: unknown };
    if (typeof code === 'string') return code;
    at = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return '';
}
