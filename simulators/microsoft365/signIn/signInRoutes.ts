import type { IncomingRequest } from '../server/call.ts';
import type { Reply } from '../server/reply.ts';
import type { World } from '../world.ts';
import type { App } from './apps.ts';
import { refusal } from './assertion.ts';
import { answerAuthorize, redeemCode } from './codeSignIn.ts';
import { TOKEN_SECONDS } from './tokens.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SHARED_TENANTS = new Set(['common', 'organizations']);

/** The sign-in host's answers, or undefined where the path is none of its own. */
export function answerSignIn(world: World, request: IncomingRequest): Reply | undefined {
  const url = new URL(request.url, world.origin);
  const match = /^\/([^/]+)\/(oauth2\/v2\.0\/(?:token|authorize)|(?:v2\.0\/)?adminconsent)$/.exec(url.pathname);
  const [, tenant, what] = match ?? [];
  if (tenant === undefined || what === undefined) return undefined;
  if (what === 'oauth2/v2.0/token') {
    return request.method === 'POST' ? answerToken(world, tenant, url, request) : plain(405, 'Method Not Allowed');
  }
  if (what === 'oauth2/v2.0/authorize') {
    if (tenant !== world.tenantId && tenant !== world.domain && !SHARED_TENANTS.has(tenant)) return plain(400, `AADSTS90002: Tenant '${tenant}' not found.`);
    return answerAuthorize(world, url, request, world.apps.get(url.searchParams.get('client_id') ?? ''));
  }
  return answerConsent(world, tenant, url, request);
}

function answerToken(world: World, tenant: string, url: URL, request: IncomingRequest): Reply {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
    return oauthError(world, 400, 'invalid_request', "AADSTS900144: The request body must contain the following parameter: 'grant_type'.");
  }
  const form = new URLSearchParams(Buffer.from(request.body).toString('utf8'));
  const byCode = form.get('grant_type') === 'authorization_code';
  if (tenant !== world.tenantId && tenant !== world.domain && !(byCode && SHARED_TENANTS.has(tenant))) {
    return oauthError(world, 400, 'invalid_request', `AADSTS90002: Tenant '${tenant}' not found.`);
  }
  if (byCode) return answerCode(world, form, `${world.origin}${url.pathname}`);
  if (form.get('grant_type') !== 'client_credentials') {
    return oauthError(world, 400, 'unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.');
  }
  const app = world.apps.get(form.get('client_id') ?? '');
  if (app === undefined) return oauthError(world, 400, 'unauthorized_client', 'AADSTS700016: Application was not found in the directory.');
  if (form.get('scope') !== 'https://graph.microsoft.com/.default' && form.get('scope') !== `${world.origin}/.default`) {
    return oauthError(world, 400, 'invalid_scope', 'AADSTS1002012: The provided value for scope is not valid: client credential flows need a scope with /.default.');
  }
  const wrong = wrongCredential(world, app, form, `${world.origin}${url.pathname}`);
  if (wrong !== undefined) return oauthError(world, 401, 'invalid_client', wrong);
  const body = { token_type: 'Bearer', expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS, access_token: world.tokens.issue(app) };
  return { status: 200, json: body, headers: { 'Cache-Control': 'no-store, no-cache' } };
}

function answerCode(world: World, form: URLSearchParams, address: string): Reply {
  const app = world.apps.get(form.get('client_id') ?? '');
  if (app === undefined) return oauthError(world, 400, 'unauthorized_client', 'AADSTS700016: Application was not found in the directory.');
  const wrong = wrongCredential(world, app, form, address);
  if (wrong !== undefined) return oauthError(world, 401, 'invalid_client', wrong);
  const body = redeemCode(world, app, form);
  if (body === undefined) return oauthError(world, 400, 'invalid_grant', 'AADSTS70008: The provided authorization code is not valid, was used, or has expired.');
  return { status: 200, json: body, headers: { 'Cache-Control': 'no-store, no-cache' } };
}

function wrongCredential(world: World, app: App, form: URLSearchParams, address: string): string | undefined {
  const assertion = form.get('client_assertion');
  if (assertion !== null) {
    if (form.get('client_assertion_type') !== ASSERTION_TYPE) return 'AADSTS900144: client_assertion_type is missing or wrong.';
    return refusal(assertion, app, [address], Math.floor(world.clock.now() / 1000), world.usedAssertions);
  }
  const secret = form.get('client_secret');
  if (secret === null) return "AADSTS7000216: 'client_assertion' or 'client_secret' is required for the 'client_credentials' grant type.";
  return app.secrets.has(secret) ? undefined : 'AADSTS7000215: Invalid client secret provided.';
}

/** Fact 97: the page for an administrator; its form leads to itself with `decision`, and then back to the application. */
function answerConsent(world: World, tenant: string, url: URL, request: IncomingRequest): Reply {
  if (request.method !== 'GET') return plain(405, 'Method Not Allowed');
  if (tenant !== world.tenantId && tenant !== world.domain && !SHARED_TENANTS.has(tenant)) return plain(400, `AADSTS90002: Tenant '${tenant}' not found.`);
  const query = url.searchParams;
  const app = world.apps.get(query.get('client_id') ?? '');
  const back = query.get('redirect_uri');
  if (app === undefined) return plain(400, 'AADSTS700016: Application was not found in the directory.');
  if (back === null || !app.redirectUris.includes(back)) {
    return plain(400, 'AADSTS50011: The redirect URI specified in the request does not match those configured for the application.');
  }
  const decision = query.get('decision');
  if (decision === null) return consentPage(url, app);
  const target = new URL(back);
  const state = query.get('state');
  if (state !== null) target.searchParams.set('state', state);
  if (decision === 'accept') {
    for (const permission of app.asked) app.granted.add(permission);
    target.searchParams.set('admin_consent', 'True');
    target.searchParams.set('tenant', world.tenantId);
  } else {
    target.searchParams.set('error', 'access_denied');
    target.searchParams.set('error_description', 'AADSTS65004: The resource owner or authorization server denied the request.');
  }
  return { status: 302, headers: { Location: target.href } };
}

function consentPage(url: URL, app: App): Reply {
  const hidden = [...url.searchParams].map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`).join('');
  const asked = [...app.asked].map((permission) => `<li>${escape(permission)}</li>`).join('');
  const html = `<!doctype html><html lang="en"><title>Permissions requested</title><h1>Permissions requested</h1><p>${escape(app.name)} asks for:</p>`
    + `<ul>${asked}</ul><form method="get">${hidden}<button name="decision" value="accept">Accept</button>`
    + '<button name="decision" value="cancel">Cancel</button></form></html>';
  return { status: 200, bytes: Buffer.from(html), headers: { 'Content-Type': 'text/html; charset=utf-8' } };
}

function oauthError(world: World, status: number, error: string, description: string): Reply {
  const code = Number(/^AADSTS(\d+)/.exec(description)?.[1] ?? 0);
  return {
    status,
    json: { error, error_description: description, error_codes: [code], timestamp: new Date(world.clock.now()).toISOString(), trace_id: world.newId(), correlation_id: world.newId() },
  };
}

function plain(status: number, text: string): Reply {
  return { status, bytes: Buffer.from(text), headers: { 'Content-Type': 'text/plain; charset=utf-8' } };
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
