import { STATUS_CODES } from 'node:http';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { Problem } from './contract/index.ts';

/** By the last part of the code. */
const STATUSES: Readonly<Record<string, number>> = {
  'invalid': 400, 'bad-link': 400, 'bad-state': 400, 'not-connected': 422, 'unknown-caller': 401, 'wrong-credentials': 401, 'sign-in-again': 401, 'forbidden': 403, 'not-confirmed': 403, 'other-origin': 403,
  'wrong-password': 403, 'wrong-code': 403, 'two-factor-needed': 403, 'password-expired': 403, 'terminated': 403,
  'not-found': 404, 'wrong-method': 405, 'conflict': 409, 'exists': 409, 'in-progress': 409, 'outcome-unknown': 409, 'key-reused': 422, 'too-large': 413, 'wrong-type': 415, 'no-such-range': 416, 'too-many': 429,
};

/** Folders whose messages are written for who calls the API. What others say may name machines and paths. */
const FOR_CALLERS = ['api/', 'accounts/', 'tasks/'];

/** A problem with what goes with it. */
export interface Refusal {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** It is the service's fault, and has to be looked into. */
  readonly fault: boolean;
}

/** What is told of anything that was thrown. What is not meant for callers is only named by the request's id. */
export function refusalOf(error: unknown, requestId: string): Refusal {
  const known = isHoldfastError(error) ? error : undefined;
  const status = known === undefined ? 500 : statusOf(known);
  const told = known !== undefined && isForCallers(known) ? known : undefined;
  const { code, detail } = told === undefined ? untold(status, requestId) : { code: told.code, detail: told.message };
  const issues = told instanceof InvalidInput ? { errors: [...told.issues] } : {};
  const retryAfter = told?.data['retryAfterMs'];
  return {
    problem: { type: `urn:holdfast:problem:${code.replaceAll('/', ':')}`, title: STATUS_CODES[status] ?? 'Error', status, detail, code, requestId, ...issues },
    headers: typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter / 1000)) } : {},
    fault: status >= 500 && status !== 503,
  };
}

function untold(status: number, requestId: string): { code: string; detail: string } {
  if (status === 503) return { code: 'api/unavailable', detail: 'The service cannot do this at the moment. Try again in a minute.' };
  return { code: 'api/unexpected', detail: `Something went wrong that the service did not expect. Tell who runs it this number: ${requestId}` };
}

function isForCallers({ code }: HoldfastError): boolean {
  return FOR_CALLERS.some((folder) => code.startsWith(folder));
}

function statusOf(error: HoldfastError): number {
  const { code, retryClass } = error;
  const known = STATUSES[code.slice(code.lastIndexOf('/') + 1)];
  if (known !== undefined) return known;
  if (retryClass === 'retry') return 503;
  return retryClass === 'input' && isForCallers(error) ? 400 : 500;
}

/** What is wrong with one part of an input. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Input that does not have the shape that the contract asks for. */
export class InvalidInput extends HoldfastError {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    const first = issues[0];
    const where = first === undefined || first.path === '' ? '' : ` (${first.path}: ${first.message})`;
    super('api/invalid', 'input', `The request does not have the right form${where}. See the API's document.`);
    this.issues = issues;
  }
}
