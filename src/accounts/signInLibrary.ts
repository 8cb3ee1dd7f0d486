import { betterAuth } from 'better-auth';
import { createEmailVerificationToken } from 'better-auth/api';
import { twoFactor } from 'better-auth/plugins/two-factor';
import { Kysely, PostgresDialect } from 'kysely';
import { HoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { hashSessionTokens } from './hashSessionTokens.ts';

/** Where the library believes to be; only {@link callSignIn} calls it there. */
const BASE_PATH = '/sign-in-library';
/** Holds the address of the caller for the library; a header of that name from outside is taken away. */
const ADDRESS_HEADER = 'x-holdfast-address';
/** From signing in on, however much it is used. */
const SESSION_SECONDS = 7 * 86_400;
const LINK_SECONDS = 86_400;
/** Between password and code. */
const CODE_SECONDS = 600;
/** Wrong codes in a row, over all tries to sign in, and for how long nothing is taken after them. */
const MOST_WRONG_CODES = 10;
const LOCKED_SECONDS = 900;

/** What the library calls back. */
export interface LibraryHooks {
  readonly publicUrl: string;
  /** The token goes into a link that is mailed. */
  readonly mailActivation: (email: string, name: string, token: string) => Promise<void>;
  readonly mailReset: (email: string, name: string, token: string) => Promise<void>;
  readonly confirmed: (userId: string) => Promise<void>;
  readonly passwordReset: (userId: string) => Promise<void>;
}

/** The library as it is set up here. */
export type SignInLibrary = ReturnType<typeof openSignInLibrary>;

/**
 * The library that keeps passwords, sessions and links. It is never reachable from outside: what it offers is more than this service does, and
 * what it answers is not in our words. Its clock and its randomness are its own.
 */
export function openSignInLibrary({ database, keys, clock, random }: AccountsContext, hooks: LibraryHooks) {
  const db = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool: database.pool }) });
  return betterAuth({
    appName: 'Holdfast', baseURL: hooks.publicUrl, basePath: BASE_PATH, secret: keys.signIn, trustedOrigins: [new URL(hooks.publicUrl).origin],
    database: { db, type: 'postgres', transaction: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
    user: {
      modelName: 'users',
      fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' },
    },
    session: {
      modelName: 'sessions', expiresIn: SESSION_SECONDS, disableSessionRefresh: true,
      fields: { userId: 'user_id', expiresAt: 'expires_at', ipAddress: 'ip_address', userAgent: 'user_agent', createdAt: 'created_at', updatedAt: 'updated_at' },
    },
    account: {
      modelName: 'sign_ins',
      fields: {
        accountId: 'account_id', providerId: 'provider_id', userId: 'user_id', accessToken: 'access_token', refreshToken: 'refresh_token', idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at', refreshTokenExpiresAt: 'refresh_token_expires_at', createdAt: 'created_at', updatedAt: 'updated_at',
      },
    },
    // What is mailed is not in the database.
    verification: {
      modelName: 'verifications', storeIdentifier: 'hashed', fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' },
    },
    rateLimit: {
      enabled: true, storage: 'database', modelName: 'rate_limits', fields: { lastRequest: 'last_request' },
      window: 60, max: 60,
      customRules: {
        '/sign-in/email': { window: 60, max: 10 }, '/request-password-reset': { window: 60, max: 5 }, '/reset-password': { window: 60, max: 10 },
        '/verify-email': { window: 60, max: 20 },
        '/two-factor/*': { window: 60, max: 20 },
      },
    },
    emailAndPassword: {
      enabled: true, disableSignUp: true, requireEmailVerification: true, minPasswordLength: 12, maxPasswordLength: 128,
      resetPasswordTokenExpiresIn: LINK_SECONDS, revokeSessionsOnPasswordReset: true,
      sendResetPassword: ({ user, token }) => hooks.mailReset(user.email, user.name, token),
      onPasswordReset: ({ user }) => hooks.passwordReset(user.id),
    },
    emailVerification: {
      expiresIn: LINK_SECONDS, sendOnSignIn: true,
      sendVerificationEmail: ({ user, token }) => hooks.mailActivation(user.email, user.name, token),
      afterEmailVerification: ({ id }) => hooks.confirmed(id),
    },
    // The database has sessions' tokens as digests.
    plugins: [{ id: 'hashed-session-tokens', init: ({ adapter }) => hashSessionTokens(adapter) }, twoFactor({
      issuer: 'Holdfast', twoFactorCookieMaxAge: CODE_SECONDS, accountLockout: { enabled: true, maxFailedAttempts: MOST_WRONG_CODES, durationSeconds: LOCKED_SECONDS },
      backupCodeOptions: { storeBackupCodes: 'encrypted' },
      schema: {
        user: { fields: { twoFactorEnabled: 'two_factor_enabled' } },
        twoFactor: {
          modelName: 'two_factors',
          fields: { userId: 'user_id', backupCodes: 'backup_codes', failedVerificationCount: 'failed_verification_count', lockedUntil: 'locked_until' },
        },
      },
    })],
    advanced: {
      cookiePrefix: 'holdfast', useSecureCookies: hooks.publicUrl.startsWith('https:'),
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
      database: { generateId: () => timeOrderedId(clock.now(), random) },
    },
  });
}

/** The token of an activation link, as the library reads it. */
export function activationToken({ keys }: Pick<AccountsContext, 'keys'>, userId: string, email: string): Promise<string> {
  return createEmailVerificationToken(keys.signIn, email, undefined, LINK_SECONDS, { userId });
}

/** What the library answered. */
export interface LibraryAnswer {
  readonly status: number;
  /** The library's own code of a refusal. */
  readonly code: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  readonly cookies: readonly string[];
}

/** A request to the library, and whom it is made for. */
export interface LibraryCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly address: string | undefined;
  readonly agent: string | undefined;
  readonly cookie: string | undefined;
}

/** Sends a request to the library on behalf of whom it comes from. */
export type LibraryCaller = (call: Pick<LibraryCall, 'method' | 'path' | 'body' | 'query'>, origin: Origin, cookie?: string) => Promise<LibraryAnswer>;

/** One request to the library, with its own checks and rate limits. Errors: `accounts/too-many`; all other refusals are answers. */
export async function callSignIn(library: SignInLibrary, publicUrl: string, call: LibraryCall): Promise<LibraryAnswer> {
  const url = new URL(BASE_PATH + call.path, publicUrl);
  for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
  const headers = new Headers({ origin: url.origin, [ADDRESS_HEADER]: call.address ?? '0.0.0.0' });
  if (call.agent !== undefined) headers.set('user-agent', call.agent);
  if (call.cookie !== undefined) headers.set('cookie', call.cookie);
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
  const response = await library.handler(new Request(url, { method: call.method, headers, ...body }));
  const answer = await recordOf(response);
  if (response.status === 429) throw tooMany(answer['code'] === 'ACCOUNT_TEMPORARILY_LOCKED' ? LOCKED_SECONDS : Number(response.headers.get('x-retry-after')));
  if (response.status >= 500) {
    throw new HoldfastError('accounts/sign-in-broken', 'retry', 'Signing in does not work at the moment. Try again in a minute.', { data: { status: response.status } });
  }
  const code = typeof answer['code'] === 'string' ? answer['code'] : undefined;
  return { status: response.status, code, body: answer, cookies: response.headers.getSetCookie() };
}

async function recordOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (!(response.headers.get('content-type') ?? '').includes('json') || text === '') return {};
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
}

function tooMany(seconds: number): HoldfastError {
  const wait = Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : 60;
  return new HoldfastError('accounts/too-many', 'retry', `Too many tries. Wait ${wait} seconds and try again.`, { data: { retryAfterMs: wait * 1000 } });
}
