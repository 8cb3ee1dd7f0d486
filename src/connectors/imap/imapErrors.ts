import { HoldfastError, isHoldfastError, messageOf, type RetryClass } from '../../domain/index.ts';

/** The fields that imapflow and Node put on their errors, as far as they are looked at. */
interface RawError {
  readonly code?: unknown;
  readonly responseStatus?: unknown;
  readonly responseText?: unknown;
  /** The parsed response of a command; text after a failed login. */
  readonly response?: unknown;
  readonly serverResponseCode?: unknown;
  readonly authenticationFailed?: unknown;
  readonly tlsFailed?: unknown;
  /** What the server said with BYE. */
  readonly reason?: unknown;
}

/** A failure, taken apart. */
interface Facts {
  /** Of the network or the library: 'ECONNREFUSED' … */
  readonly code: string;
  /** Of RFC 5530, upper case: 'AUTHENTICATIONFAILED' … */
  readonly serverCode: string;
  readonly words: string;
  /** Answered NO or BAD. */
  readonly answered: boolean;
  readonly loginRefused: boolean;
  readonly tlsFailed: boolean;
  /** While connecting and logging in. */
  readonly opening: boolean;
}

interface Kind {
  readonly code: string;
  readonly retryClass: RetryClass;
  readonly fits: (facts: Facts) => boolean;
  /** What to do, after a sentence's place of the server's name. */
  readonly message: (where: string, facts: Facts) => string;
}

const TLS_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE', 'EPROTO', 'STARTTLS_INJECTION', 'UPGRADE_TIMEOUT',
]);

/** Dovecot, Cyrus, Courier, Gmail and Exchange in this order; only Dovecot gives a response code with it. */
const TOO_MANY = /maximum number of connections|too many (simultaneous )?connections|connection limit|too many sessions/i;
const FULL = /over ?quota|quota exceeded|mailbox is full/i;
const BUSY = new Set(['UNAVAILABLE', 'INUSE', 'SERVERBUG']);

/** The first that fits counts. */
const KINDS: readonly Kind[] = [
  {
    code: 'imap/too-many-connections', retryClass: 'retry',
    fits: (facts) => TOO_MANY.test(facts.words) || (facts.opening && facts.serverCode === 'LIMIT'),
    message: (where) => `${where} allows no further connection for this user now. `
      + 'Close other mail programs or set fewer connections.',
  },
  {
    code: 'imap/tls', retryClass: 'input',
    fits: ({ tlsFailed, code }) => tlsFailed || TLS_CODES.has(code) || /^ERR_(SSL|TLS)|STARTTLS/.test(code),
    message: (where, { code, words }) => `The connection to ${where} is not safe (${code || words}). `
      + 'Check host name and certificate, or give the certificate authority to trust.',
  },
  {
    code: 'imap/busy', retryClass: 'retry',
    fits: ({ answered, loginRefused, serverCode, code }) => code === 'ETHROTTLE'
      || ((answered || loginRefused) && BUSY.has(serverCode)),
    message: (where) => `${where} can not do this now. Try again later.`,
  },
  {
    code: 'imap/auth-failed', retryClass: 'input',
    fits: ({ loginRefused }) => loginRefused,
    message: (where) => `${where} refuses the login. `
      + 'Check user name and password or token; some providers need an app password.',
  },
  {
    code: 'imap/quota', retryClass: 'input',
    fits: ({ serverCode, words, answered }) => answered && (serverCode === 'OVERQUOTA' || FULL.test(words)),
    message: (where) => `The mailbox on ${where} is full. Make room and start again.`,
  },
  {
    code: 'imap/refused', retryClass: 'never',
    fits: ({ answered }) => answered,
    message: (where) => `${where} refuses a command.`,
  },
  {
    code: 'imap/unknown-host', retryClass: 'input',
    fits: ({ code }) => code === 'ENOTFOUND',
    message: (where) => `There is no host of the name ${where}. Check the spelling.`,
  },
  {
    code: 'imap/unavailable', retryClass: 'retry',
    fits: () => true,
    message: (where, { code }) => `The connection to ${where} failed${code === '' ? '' : ` (${code})`}. `
      + 'Check host, port and network, then try again.',
  },
];

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The response code in brackets of a parsed response. */
function codeOf(response: unknown): string {
  const { attributes } = (typeof response === 'object' && response !== null ? response : {}) as { attributes?: unknown };
  const first: unknown = Array.isArray(attributes) ? attributes[0] : undefined;
  const { section } = (typeof first === 'object' && first !== null ? first : {}) as { section?: unknown };
  const head: unknown = Array.isArray(section) ? section[0] : undefined;
  return text((typeof head === 'object' && head !== null ? head as { value?: unknown } : {}).value);
}

function factsOf(error: unknown, opening: boolean): Facts {
  const raw: RawError = typeof error === 'object' && error !== null ? error : {};
  const words = [raw.responseText, raw.reason, raw.response].map(text).find((value) => value !== '') ?? '';
  return {
    code: text(raw.code), serverCode: (text(raw.serverResponseCode) || codeOf(raw.response)).toUpperCase(),
    words: words.slice(0, 500), answered: raw.responseStatus === 'NO' || raw.responseStatus === 'BAD',
    loginRefused: raw.authenticationFailed === true, tlsFailed: raw.tlsFailed === true, opening,
  };
}

/**
 * The one place where what the server or the network says becomes an error of ours. Codes: imap/auth-failed, imap/tls,
 * imap/unknown-host, imap/quota (input) · imap/unavailable (the connection), imap/busy, imap/too-many-connections (retry) ·
 * imap/refused (never).
 */
export function imapError(error: unknown, where: string, opening = false): HoldfastError {
  if (isHoldfastError(error)) return error;
  const facts = factsOf(error, opening);
  const kind = KINDS.find(({ fits }) => fits(facts));
  if (kind === undefined) throw new TypeError('no kind of error fits');
  const said = facts.words === '' ? '' : ` The server says: ${facts.words}`;
  // Only words go along: errors of the client library carry parsed traffic.
  return new HoldfastError(kind.code, kind.retryClass, kind.message(where, facts) + said,
    { data: { server: facts.words }, cause: new Error(messageOf(error)) });
}

/** True when a new connection may do better. */
export function isConnectionLoss(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'imap/unavailable';
}

const FOLDER_CODES = new Set(['imap/refused', 'imap/busy', 'imap/no-folder', 'imap/renumbered']);

/** Errors that concern one folder or mail only; any other ends the run. */
export function isLocalTrouble(error: unknown): boolean {
  return isHoldfastError(error) && FOLDER_CODES.has(error.code);
}
