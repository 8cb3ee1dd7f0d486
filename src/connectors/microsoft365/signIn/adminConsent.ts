import { createHash } from 'node:crypto';
import { HoldfastError } from '../../../domain/index.ts';
import { httpExchange, truncated } from '../../../rest/index.ts';
import type { Consent, ConsentAnswer, ConsentStep, ConsentWay } from '../../offer.ts';
import { pages, textOf } from '../graph/pages.ts';
import { checkSettings, type Microsoft365Runtime, type Microsoft365Settings } from '../settings.ts';
import { Tenant } from '../tenant.ts';
import { signInError } from './signInErrors.ts';

/** How the service signs in everywhere; the tenant is what is asked for. */
export type Application = Omit<Microsoft365Settings, 'tenant'>;

/** Templates of the roles that may give this consent, the same in every tenant: Global Administrator, Privileged Role Administrator. */
const MAY_CONSENT = new Set(['62e90394-69f5-4237-9190-012177145e10', 'e8611ab8-c189-46e8-94e1-60213ab1f814']);
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ANY_TENANT = 'organizations';
const LIMITS = { headersMs: 30_000, idleMs: 15_000, mostBytes: 1 << 18 };
/** The secret and the signer of the sign-in are checked below; clocks may differ by so much. */
const SKEW_SECONDS = 300;

type Memory = { readonly step: 'consent' } | { readonly step: 'signIn'; readonly tenant: string; readonly verifier: string; readonly nonce: string };

/**
 * Consent of an administrator, then their sign-in. The answer to the first (fact 97) is nothing but a tenant's id in an address, which anybody can write; other
 * customers' tenants have consented, too. So whoever comes back signs in, and has to be an administrator of that tenant.
 */
export class AdminConsent implements Consent {
  readonly #application: Application;
  readonly #runtime: Microsoft365Runtime;
  readonly #loginUrl: string;

  constructor(application: Application, runtime: Microsoft365Runtime) {
    this.#application = application;
    this.#runtime = runtime;
    this.#loginUrl = checkSettings({ ...application, tenant: 'any.example' }).loginUrl;
  }

  begin({ returnTo, state }: ConsentWay): ConsentStep {
    const url = new URL(`${this.#loginUrl}/${ANY_TENANT}/adminconsent`);
    url.search = new URLSearchParams({ client_id: this.#application.clientId, redirect_uri: returnTo, state }).toString();
    return { url: url.href, memory: memoryOf({ step: 'consent' }) };
  }

  async answer(query: URLSearchParams, asked: ConsentWay & { readonly memory: string }, nextWay: ConsentWay, signal: AbortSignal): Promise<ConsentAnswer> {
    const memory = JSON.parse(asked.memory) as Memory;
    const error = query.get('error');
    if (error === 'access_denied') return refused('declined', 'The administrator did not agree. Start again, and accept what the page asks for.');
    if (error !== null) return refused('provider-error', `Microsoft 365 did not go through with it (${error.replaceAll(/[^\w.-]/g, '').slice(0, 40)}). Start again; a Global Administrator has to agree.`);
    return memory.step === 'consent' ? this.#signIn(query, nextWay) : await this.#prove(query, asked.returnTo, memory, signal);
  }

  #signIn(query: URLSearchParams, { returnTo, state }: ConsentWay): ConsentAnswer {
    const tenant = query.get('tenant') ?? '';
    if (query.get('admin_consent')?.toLowerCase() !== 'true' || !GUID.test(tenant)) return refused('no-consent', 'Microsoft 365 gave no consent along. Start again; a Global Administrator has to agree.');
    const verifier = this.#runtime.random(32).toString('base64url');
    const nonce = this.#runtime.random(16).toString('base64url');
    const url = new URL(`${this.#loginUrl}/${tenant.toLowerCase()}/oauth2/v2.0/authorize`);
    url.search = new URLSearchParams({
      client_id: this.#application.clientId, response_type: 'code', response_mode: 'query', scope: 'openid profile', redirect_uri: returnTo, state, nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
    }).toString();
    return { result: 'next', step: { url: url.href, memory: memoryOf({ step: 'signIn', tenant: tenant.toLowerCase(), verifier, nonce }) } };
  }

  async #prove(query: URLSearchParams, returnTo: string, memory: Memory & { step: 'signIn' }, signal: AbortSignal): Promise<ConsentAnswer> {
    const claims = await this.#claims(query.get('code') ?? '', returnTo, memory, signal);
    const { tid, oid, nonce, aud, exp, preferred_username: user } = claims;
    const now = this.#runtime.clock.now() / 1000;
    const sound = aud === this.#application.clientId && nonce === memory.nonce && typeof exp === 'number' && exp > now - SKEW_SECONDS;
    if (!sound || tid !== memory.tenant || typeof oid !== 'string' || !GUID.test(oid)) {
      return refused('other-organisation', 'The sign-in was to another organisation than the consent. Start again, and sign in as an administrator of the organisation that is to be backed up.');
    }
    if (!await this.#isAdministrator(memory.tenant, oid, signal)) {
      return refused('no-administrator', 'Who signed in is no Global Administrator of the organisation. Start again, and sign in as one.');
    }
    const domain = typeof user === 'string' ? /@([\w.-]{1,200})$/.exec(user)?.[1] : undefined;
    return { result: 'authorised', authorised: { secret: JSON.stringify({ tenant: memory.tenant }), identity: memory.tenant, label: domain ?? memory.tenant } };
  }

  /** Of the identity token. It comes from Microsoft's own server over TLS, and not through the browser: that is what proves it (OpenID Connect Core 3.1.3.7, 6). */
  async #claims(code: string, returnTo: string, { tenant, verifier }: Memory & { step: 'signIn' }, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const url = `${this.#loginUrl}/${tenant}/oauth2/v2.0/token`;
    const { clientId, clientSecret = '' } = this.#application;
    const form = new URLSearchParams({ grant_type: 'authorization_code', client_id: clientId, client_secret: clientSecret, code, redirect_uri: returnTo, code_verifier: verifier, scope: 'openid profile' });
    const reply = await httpExchange({
      method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }, body: form.toString(),
    }, { ...LIMITS, ...this.#runtime.limits }, signal);
    const body = documentOf(reply.bytes.toString('utf8'));
    if (reply.status !== 200) throw signInError(reply.status, body, tenant);
    const token = body['id_token'];
    if (typeof token !== 'string') throw truncated(new URL(url).host, 'no identity in it');
    return documentOf(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  }

  async #isAdministrator(tenantId: string, userId: string, signal: AbortSignal): Promise<boolean> {
    const tenant = new Tenant({ ...this.#application, tenant: tenantId }, this.#runtime);
    const options = { purpose: 'see whether who consented is an administrator (Directory.Read.All)', signal };
    for await (const page of pages(tenant.graph, `/users/${userId}/memberOf`, options)) {
      if (page.some((entry) => MAY_CONSENT.has(textOf(entry, 'roleTemplateId').toLowerCase()))) return true;
    }
    return false;
  }
}

function memoryOf(memory: Memory): string {
  return JSON.stringify(memory);
}

function refused(code: string, why: string): ConsentAnswer {
  return { result: 'refused', code, why };
}

function documentOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new HoldfastError('microsoft365/odd-answer', 'retry', 'The sign-in of Microsoft 365 gave an answer that is no document. Try again.', { cause });
  }
  return {};
}
