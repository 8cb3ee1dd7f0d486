import { HoldfastError, isHoldfastError, messageOf, type RetryClass } from '../../domain/index.ts';

/** The fields that imapflow and Node put on their errors, as far as they are looked at. */
interface RawError {
  readonly code?: unknown;
  readonly responseStatus?: unknown;
  readonly responseText?: unknown;
  readonly response?: unknown;
  readonly serverResponseCode?: unknown;
  readonly authenticationFailed?: unknown;
  readonly tlsFailed?: unknown;
  readonly reason?: unknown;
}

const TLS_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO', 'STARTTLS_INJECTION', 'UPGRADE_TIMEOUT',
]);

/** Dovecot, Cyrus, Courier, Gmail and Exchange in this order; only Dovecot gives a response code with it. */
const TOO_MANY = /too many (simultaneous )?connections|maximum number of connections|connection limit|too many sessions/i;

const FULL = /over ?quota|quota exceeded|mailbox is full/i;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function serverWords(raw: RawError, error: unknown): string {
  const words = [raw.responseText, raw.reason, raw.response].map(text).find((value) => value !== '');
  return words ?? messageOf(error);
}

interface Verdict {
  readonly code: string;
  readonly retryClass: RetryClass;
  readonly message: string;
}

function verdict(raw: RawError, words: string, where: string): Verdict {
  const code = text(raw.code);
  const serverCode = text(raw.serverResponseCode).toUpperCase();
  const said = words === '' ? '' : ` The server says: ${words}`;
  if (TOO_MANY.test(words) || serverCode === 'LIMIT') {
    return { code: 'imap/too-many-connections', retryClass: 'retry',
      message: `${where} allows no further connection for this user now. Close other mail programs or set fewer connections.${said}` };
  }
  if (raw.tlsFailed === true || TLS_CODES.has(code) || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')
    || /STARTTLS/i.test(code)) {
    return { code: 'imap/tls', retryClass: 'input',
      message: `The connection to ${where} is not safe (${code === '' ? words : `${code}: ${words}`}). `
        + 'Check host name and certificate, or give the certificate authority to trust.' };
  }
  const refused = raw.authenticationFailed === true;
  if (['UNAVAILABLE', 'INUSE', 'SERVERBUG'].includes(serverCode) || code === 'ETHROTTLE') {
    return { code: 'imap/unavailable', retryClass: 'retry', message: `${where} can not answer now. Try again later.${said}` };
  }
  if (refused) {
    return { code: 'imap/auth-failed', retryClass: 'input',
      message: `${where} refuses the login. Check user name and password or token; some providers need an app password.${said}` };
  }
  if (serverCode === 'OVERQUOTA' || FULL.test(words)) {
    return { code: 'imap/quota', retryClass: 'input', message: `The mailbox on ${where} is full. Make room and start again.${said}` };
  }
  if (raw.responseStatus === 'NO' || raw.responseStatus === 'BAD') {
    return { code: 'imap/refused', retryClass: 'never', message: `${where} refuses a command.${said}` };
  }
  if (code === 'ENOTFOUND') {
    return { code: 'imap/unknown-host', retryClass: 'input', message: `There is no host of the name ${where}. Check the spelling.` };
  }
  return { code: 'imap/unavailable', retryClass: 'retry',
    message: `The connection to ${where} failed (${code === '' ? words : code}). Check host, port and network, then try again.` };
}

/**
 * The one place where what the server or the network says becomes an error of ours. Codes: imap/auth-failed,
 * imap/tls, imap/unknown-host, imap/quota (input) · imap/unavailable, imap/too-many-connections (retry) · imap/refused (never).
 */
export function imapError(error: unknown, where: string): HoldfastError {
  if (isHoldfastError(error)) return error;
  const raw: RawError = typeof error === 'object' && error !== null ? error : {};
  const words = serverWords(raw, error).slice(0, 500);
  const { code, retryClass, message } = verdict(raw, words, where);
  // Only the words go along: errors of the client library carry parsed traffic.
  return new HoldfastError(code, retryClass, message, { data: { server: words }, cause: new Error(messageOf(error)) });
}

/** True when a new connection may do better. */
export function isConnectionLoss(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'imap/unavailable';
}
