import { isHoldfastError } from '../../domain/index.ts';
import { finishConsent } from '../../tasks/index.ts';
import type { PlainCall } from './plainCall.ts';

/** The provider's servers are asked while the browser waits. */
const ANSWER_MS = 60_000;

/**
 * The provider's answer, brought by the browser. The way on is a page of the provider that the connector names, or our start page: nothing in the address leads
 * anywhere. The start page is told a code alone, since whoever makes a link to it must not choose the words that a user reads there.
 */
export async function consentCallback({ url, context, caller }: PlainCall): Promise<Response> {
  const { tasks, stopping } = context.services;
  const signal = AbortSignal.any([context.gone, stopping, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const outcome = await finishConsent(tasks, caller(), context.origin, url.searchParams, signal);
    if ('next' in outcome) return seeOther(outcome.next);
    return startPage(tasks.publicUrl, 'refused' in outcome ? { authorisation: outcome.refused } : { authorisation: 'done', task: outcome.taskId });
  } catch (error) {
    if (!isHoldfastError(error) || !error.code.startsWith('tasks/')) throw error;
    return startPage(tasks.publicUrl, { authorisation: error.code.slice('tasks/'.length) });
  }
}

function startPage(publicUrl: string, outcome: Readonly<Record<string, string>>): Response {
  const to = new URL('/', publicUrl);
  to.search = new URLSearchParams(outcome).toString();
  return seeOther(to.href);
}

function seeOther(to: string): Response {
  return new Response(null, { status: 303, headers: { location: to, 'cache-control': 'no-store' } });
}
