import { beginOnce, forgetKey, keepAnswer, type KeyOfRequest } from '../accounts/index.ts';
import type { CallContext } from './apiServices.ts';
import { InvalidInput } from './problem.ts';

/** Any one that a program would take: a UUID fits. */
const KEY = /^[\x21-\x7e]{8,200}$/;

/**
 * Does the work of a POST once for each Idempotency-Key that its caller sends, and answers as the first time afterwards, with `Idempotency-Replayed`. A refusal is not kept: nothing was
 * made, and the same request may be right the next time. Errors: those of {@link beginOnce}, `api/invalid`.
 */
export async function onlyOnce(request: Request, { principal, services: { accounts } }: CallContext, serve: (request: Request) => Promise<Response>): Promise<Response> {
  const key = request.headers.get('idempotency-key');
  if (key === null || request.method !== 'POST' || principal === undefined) return serve(request);
  if (!KEY.test(key)) throw new InvalidInput([{ path: 'Idempotency-Key', message: '8 to 200 letters, digits or signs without a space' }]);
  const own: KeyOfRequest = { principal, key };
  const { pathname, search } = new URL(request.url);
  const kept = await beginOnce(accounts, own, JSON.stringify([pathname, search, await request.clone().text()]));
  if (kept !== undefined) {
    const headers = new Headers({ 'idempotency-replayed': 'true', ...(kept.type !== null && { 'content-type': kept.type }) });
    return new Response(kept.body === '' ? null : kept.body, { status: kept.status, headers });
  }
  let answer: Response;
  try {
    answer = await serve(request);
  } catch (error) {
    await forgetKey(accounts, own);
    throw error;
  }
  await keepAnswer(accounts, own, { status: answer.status, type: answer.headers.get('content-type'), body: await answer.clone().text() });
  return answer;
}
