import { HoldfastError, isHoldfastError } from '../../../domain/index.ts';
import type { RestFailure } from '../../../rest/index.ts';

/** Where the service names its reason. */
export interface GraphProblem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Reads the error document; what is none counts by its status alone. */
export function problemOf(status: number, body: unknown): GraphProblem {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as { error?: { code?: unknown; message?: unknown } };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { status, code: text(error?.code), message: text(error?.message).slice(0, 300) };
}

export function problemOfBytes(status: number, bytes: Buffer): GraphProblem {
  try {
    return problemOf(status, JSON.parse(bytes.toString('utf8')));
  } catch {
    return { status, code: '', message: '' };
  }
}

/** Codes by which a delta token is known to be lost, whatever the status (facts 24 and 33). */
const LOST_TOKEN = /^(syncStateNotFound|syncStateInvalid|resyncRequired|resyncChanges\w+|ErrorInvalidSyncStateData|fullSyncRequired)$/i;
const NO_MAILBOX = /^(MailboxNotEnabledForRESTAPI|MailboxNotHostedInExchangeOnline|ErrorNonExistentMailbox|ErrorMailboxStoreUnavailable)$/i;
const NO_LICENCE = /license|licence/i;
const FULL = /^(ErrorQuotaExceeded|ErrorMailboxStoreQuotaExceeded|quotaLimitReached|insufficientStorage)$/i;
const GONE = /^(ErrorItemNotFound|ErrorObjectNotFound|Request_ResourceNotFound|ResourceNotFound|itemNotFound|NotFound|ErrorFolderNotFound)$/i;

interface Kind {
  readonly code: string;
  readonly retryClass: 'retry' | 'input' | 'never';
  readonly fits: (problem: GraphProblem) => boolean;
  readonly message: (purpose: string, problem: GraphProblem) => string;
}

/** The first that fits counts. */
const KINDS: readonly Kind[] = [
  {
    code: 'microsoft365/throttled', retryClass: 'retry', fits: ({ status }) => status === 429,
    message: () => 'Microsoft 365 asks for a pause. Try again later.',
  },
  {
    code: 'microsoft365/sync-lost', retryClass: 'never', fits: ({ status, code }) => status === 410 || LOST_TOKEN.test(code),
    message: () => 'Microsoft 365 no longer knows how far the last run came; everything is listed again.',
  },
  {
    code: 'microsoft365/no-mailbox', retryClass: 'input', fits: ({ code, status, message }) => NO_MAILBOX.test(code) || (status === 403 && NO_LICENCE.test(message)),
    message: (purpose) => `There is no mailbox that Microsoft 365 lets be read (${purpose}): it was deleted, has no Exchange licence, or lies on a server of one's own. `
      + 'Give the user a licence with Exchange Online, or leave the user out.',
  },
  {
    code: 'microsoft365/full', retryClass: 'input', fits: ({ status, code }) => status === 507 || FULL.test(code),
    message: () => 'The mailbox is full. Make room in it or give it a larger quota, then start again: what is there already is not written twice.',
  },
  {
    // A token that was just made may be refused for a moment.
    code: 'microsoft365/token-refused', retryClass: 'retry', fits: ({ status }) => status === 401,
    message: () => 'Microsoft 365 refuses the access of the application, though it signed in. Check that the application was not removed or blocked, then try again.',
  },
  {
    code: 'microsoft365/no-permission', retryClass: 'input', fits: ({ status }) => status === 403,
    message: (purpose) => `The application may not do this: ${purpose}. Add the permission to the application (as an application permission of Microsoft Graph) `
      + 'and have an administrator give consent; where access is limited to some mailboxes, include this one.',
  },
  {
    code: 'microsoft365/not-found', retryClass: 'never', fits: ({ status, code }) => status === 404 || GONE.test(code),
    message: () => 'Microsoft 365 has it no longer.',
  },
  {
    code: 'microsoft365/unavailable', retryClass: 'retry', fits: ({ status }) => status >= 500 || status === 408,
    message: (_purpose, { status, code }) => `Microsoft 365 answers with status ${status}${code === '' ? '' : ` (${code})`}. Try again later.`,
  },
  {
    code: 'microsoft365/refused', retryClass: 'never', fits: () => true,
    message: (purpose, { status, code, message }) => `Microsoft 365 refuses a request with status ${status}${code === '' ? '' : ` (${code})`}: ${message === '' ? purpose : message}`,
  },
];

/**
 * The one place where an answer of Graph becomes an error of ours. Codes: microsoft365/throttled, microsoft365/unavailable, microsoft365/token-refused (retry) ·
 * microsoft365/no-mailbox, microsoft365/no-permission, microsoft365/full (input) · microsoft365/sync-lost, microsoft365/not-found,
 * microsoft365/refused (never).
 */
export function graphError(problem: GraphProblem, purpose: string): HoldfastError {
  const kind = KINDS.find(({ fits }) => fits(problem));
  if (kind === undefined) throw new TypeError('no kind of error fits');
  return new HoldfastError(kind.code, kind.retryClass, kind.message(purpose, problem), { data: { status: problem.status, reason: problem.code } });
}

export function explainFailure({ status, bytes, purpose }: RestFailure): HoldfastError {
  return graphError(problemOfBytes(status, bytes), purpose);
}

/** Fact 5: too many at the same time, as against too many in ten minutes. */
export function isCrowded({ status, bytes }: RestFailure): boolean {
  return status === 429 && problemOfBytes(status, bytes).code === 'ApplicationThrottled';
}

export function hasCode(error: unknown, ...codes: readonly string[]): error is HoldfastError {
  return isHoldfastError(error) && codes.includes(error.code.replace('microsoft365/', ''));
}

/** True for the answer to a path that this Graph does not have at all. Its code alone says no more than that the request is bad. */
export function isUnknownPath(error: unknown): boolean {
  return hasCode(error, 'refused') && /resource not found for the segment/i.test(error.message);
}

/** For what belongs to something that is there: where it is not found the whole is not gone, but is to be read again. */
export function oddIfMissing(what: string): (error: unknown) => never {
  return (error) => {
    throw hasCode(error, 'not-found') ? oddAnswer(what) : error;
  };
}

/** An answer that is no answer to what was asked: worth asking once more. */
export function oddAnswer(what: string): HoldfastError {
  return new HoldfastError('microsoft365/odd-answer', 'retry', `Microsoft 365 gave an answer without ${what}. Try again; if it stays, report it.`);
}
