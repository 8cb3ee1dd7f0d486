import { confirmEmailChange } from '../../accounts/index.ts';
import { isHoldfastError } from '../../domain/index.ts';
import type { plain } from '../contract/index.ts';
import { openApiDocument } from '../openApiDocument.ts';
import { InvalidInput } from '../problem.ts';
import { activityFile } from './activityFile.ts';
import { auditFile } from './auditFile.ts';
import { consentCallback } from './consentCallback.ts';
import type { PlainCall, PlainHandler } from './plainCall.ts';
import { usageFile } from './usageFile.ts';

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };
const READY_MS = 5_000;

/** One for each plain route of the contract. */
export const plainHandlers: Readonly<Record<keyof typeof plain, PlainHandler>> = {
  health: async () => new Response('ok\n', { headers: TEXT }),
  readiness,
  metrics: async ({ context }) => {
    const { metrics } = context.services;
    return new Response(await metrics.text(), { headers: { 'content-type': metrics.type } });
  },
  openApi: async ({ context }) => Response.json(await openApiDocument(context.services.publicUrl)),
  auditFile,
  activityFile,
  usageFile,
  activate,
  confirmEmail,
  consentCallback,
};

async function readiness({ context }: PlainCall): Promise<Response> {
  const missing = await context.services.notReady(AbortSignal.any([context.gone, AbortSignal.timeout(READY_MS)]));
  return missing.length === 0
    ? new Response('ready\n', { headers: TEXT })
    : new Response(`not ready: ${missing.join(', ')}\n`, { status: 503, headers: { ...TEXT, 'retry-after': '5' } });
}

async function activate(call: PlainCall): Promise<Response> {
  const { signIn } = call.context.services;
  return followLink(call, 'activation', (token) => signIn.activate(token, call.context.origin));
}

async function confirmEmail(call: PlainCall): Promise<Response> {
  const { accounts, outbox } = call.context.services;
  return followLink(call, 'email-change', (token) => confirmEmailChange(accounts, outbox, token, call.context.origin));
}

/** The outcome goes to the start page, which tells it. The way on is fixed: a link cannot lead elsewhere. */
async function followLink({ url, context }: PlainCall, what: string, open: (token: string) => Promise<void>): Promise<Response> {
  const token = url.searchParams.get('token') ?? '';
  if (token === '' || token.length > 2000) throw new InvalidInput([{ path: 'token', message: 'that of the mailed link' }]);
  const { publicUrl } = context.services;
  try {
    await open(token);
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'accounts/bad-link') throw error;
    return seeOther(new URL(`/?${what}=bad-link`, publicUrl));
  }
  return seeOther(new URL(`/?${what}=done`, publicUrl));
}

function seeOther(to: URL): Response {
  return new Response(null, { status: 303, headers: { location: to.href, 'cache-control': 'no-store' } });
}
