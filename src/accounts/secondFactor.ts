import { HoldfastError, type Principal } from '../domain/index.ts';
import { actorOf, appendAudit, noteAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { sessionDigest } from './hashSessionTokens.ts';
import { secondFactorLetter } from './letters.ts';
import { findMember, type Member } from './members.ts';
import type { Outbox } from './outbox.ts';
import type { LibraryAnswer, LibraryCaller, SignInLibrary } from './signInLibrary.ts';

/** A code is good for a minute or so; what was used is remembered longer. */
const CODES_KEPT_MS = 10 * 60_000;

/** What an authenticator app is set up with. Recovery codes are told here and when new ones are made, and never again. */
export interface SecondFactorSetup {
  /** For a QR code. */
  readonly uri: string;
  /** The same secret to be typed. */
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

/** What a user has. */
export interface SecondFactorState {
  readonly enabled: boolean;
  /** The account asks all of its users for one. */
  readonly enforced: boolean;
  readonly recoveryCodesLeft: number;
}

/** One of the two. */
export type SignInCode = { readonly code: string } | { readonly recoveryCode: string };

/** The second factor of signing in: codes of an authenticator app, and recovery codes in place of it. */
export class SecondFactor {
  readonly #context: AccountsContext;
  readonly #outbox: Outbox;
  readonly #library: SignInLibrary;
  readonly #call: LibraryCaller;

  constructor(context: AccountsContext, outbox: Outbox, library: SignInLibrary, call: LibraryCaller) {
    this.#context = context;
    this.#outbox = outbox;
    this.#library = library;
    this.#call = call;
  }

  async state({ userId, accountId }: Principal): Promise<SecondFactorState> {
    const { query } = this.#context.database;
    const enabled = await this.#isEnabled(userId);
    const account = await query.selectFrom('accounts').select('twoFactorEnforced').where('id', '=', accountId).executeTakeFirst();
    return { enabled, enforced: account?.twoFactorEnforced === true, recoveryCodesLeft: enabled ? await this.#recoveryCodesLeft(userId) : 0 };
  }

  /** Begins to set it up; it counts from {@link confirm} on. Errors: `accounts/wrong-password`, `accounts/conflict` where there is one. */
  async begin(cookie: string | undefined, password: string, origin: Origin): Promise<SecondFactorSetup> {
    const answer = await this.#call({ method: 'POST', path: '/two-factor/enable', body: { password } }, origin, cookie);
    if (answer.code === 'TOTP_ALREADY_ENABLED') throw alreadyOn();
    mustBeDone(answer);
    const uri = String(answer.body['totpURI']);
    return { uri, secret: new URL(uri).searchParams.get('secret') ?? '', recoveryCodes: answer.body['backupCodes'] as string[] };
  }

  /** The first code proves the app. Ends all sessions that were begun without one, and gives the cookies of a new one. Errors: `accounts/wrong-code`, `accounts/conflict`. */
  async confirm(principal: Principal, cookie: string | undefined, code: string, origin: Origin): Promise<readonly string[]> {
    const { userId, accountId } = principal;
    const { query } = this.#context.database;
    if (await this.#isEnabled(userId)) throw alreadyOn();
    const before = await query.selectFrom('sessions').select('id').where('userId', '=', userId).execute();
    const answer = await this.#call({ method: 'POST', path: '/two-factor/verify-totp', body: { code } }, origin, without(cookie, PENDING));
    if (answer.status !== 200) throw wrongCode(answer);
    await query.transaction().execute(async (transaction) => {
      await transaction.deleteFrom('sessions').where('userId', '=', userId).where('id', 'in', before.map(({ id }) => id)).execute();
      await this.#outbox.put(principal.email, secondFactorLetter(principal.name, 'on'), transaction);
      await appendAudit(this.#context, transaction, { accountId, kind: 'two-factor.enabled', actor: actorOf(principal), origin });
    });
    return answer.cookies;
  }

  /** Errors: `accounts/wrong-password`, `accounts/conflict` where the account asks for it. */
  async disable(principal: Principal, cookie: string | undefined, password: string, origin: Origin): Promise<readonly string[]> {
    if ((await this.state(principal)).enforced) throw new HoldfastError('accounts/conflict', 'input', 'Your account asks all users for a second factor: it cannot be switched off.');
    const answer = await this.#call({ method: 'POST', path: '/two-factor/disable', body: { password } }, origin, cookie);
    mustBeDone(answer);
    await this.#outbox.put(principal.email, secondFactorLetter(principal.name, 'off'));
    await noteAudit(this.#context, { accountId: principal.accountId, kind: 'two-factor.disabled', actor: actorOf(principal), origin });
    return answer.cookies;
  }

  /** The ones before do not work any more. Errors: `accounts/wrong-password`, `accounts/conflict` without a second factor. */
  async renewRecoveryCodes(principal: Principal, cookie: string | undefined, password: string, origin: Origin): Promise<readonly string[]> {
    const answer = await this.#call({ method: 'POST', path: '/two-factor/generate-backup-codes', body: { password } }, origin, cookie);
    if (answer.code === 'TWO_FACTOR_NOT_ENABLED') throw new HoldfastError('accounts/conflict', 'input', 'Set up your second factor first.');
    mustBeDone(answer);
    await noteAudit(this.#context, { accountId: principal.accountId, kind: 'two-factor.recovery-codes-renewed', actor: actorOf(principal), origin });
    return answer.body['backupCodes'] as string[];
  }

  /**
   * The second step of signing in; `cookie` proves the first. A code lets somebody in once.
   * Errors: `accounts/wrong-code`, `accounts/sign-in-again` where the first step is too long ago or had too many tries, `accounts/too-many`.
   */
  async signIn(cookie: string | undefined, given: SignInCode, origin: Origin): Promise<{ member: Member; cookies: readonly string[] }> {
    const pending = only(cookie, PENDING);
    const member = await this.#pendingMember(pending);
    if (member === undefined) throw signInAgain();
    const recovery = 'recoveryCode' in given;
    const method = recovery ? 'password and recovery code' : 'password and code';
    const answer = recovery
      ? await this.#call({ method: 'POST', path: '/two-factor/verify-backup-code', body: { code: given.recoveryCode } }, origin, pending)
      : await this.#call({ method: 'POST', path: '/two-factor/verify-totp', body: { code: given.code } }, origin, pending);
    const right = answer.status === 200 && (recovery || await this.#useOnce(member.id, given.code, answer));
    if (!right) {
      await this.#note(member, 'sign-in.failed', origin, { method, reason: answer.code ?? 'CODE_USED_BEFORE' });
      throw wrongCode(answer);
    }
    await this.#note(member, 'sign-in.succeeded', origin, { method });
    if (recovery) await this.#outbox.put(member.email, secondFactorLetter(member.name, 'recovery'));
    return { member, cookies: answer.cookies };
  }

  /** False where the code was used: the session that the library has made with it is taken away. */
  async #useOnce(userId: string, code: string, { body }: LibraryAnswer): Promise<boolean> {
    const { database: { query }, clock } = this.#context;
    const now = clock.now();
    await query.deleteFrom('usedCodes').where('userId', '=', userId).where('usedAt', '<', new Date(now - CODES_KEPT_MS)).execute();
    const used = await query.insertInto('usedCodes').values({ userId, code, usedAt: new Date(now) }).onConflict((conflict) => conflict.doNothing()).returning('code').executeTakeFirst();
    if (used !== undefined) return true;
    await query.deleteFrom('sessions').where('token', '=', sessionDigest(String(body['token']))).execute();
    return false;
  }

  /** Whose first step the cookie is of. That it is genuine the library proves: this only says whom the audit log names. */
  async #pendingMember(pending: string | undefined): Promise<Member | undefined> {
    // Before the signature; the library makes it of letters, digits and '-'.
    const identifier = /=([\w-]+)\./.exec(pending ?? '')?.[1];
    if (identifier === undefined) return undefined;
    const { internalAdapter } = await this.#library.$context;
    const found = await internalAdapter.findVerificationValue(identifier);
    return found ? findMember(this.#context, found.value) : undefined;
  }

  async #isEnabled(userId: string): Promise<boolean> {
    const user = await this.#context.database.query.selectFrom('users').select('twoFactorEnabled').where('id', '=', userId).executeTakeFirst();
    return user?.twoFactorEnabled === true;
  }

  async #recoveryCodesLeft(userId: string): Promise<number> {
    const { backupCodes } = await this.#library.api.viewBackupCodes({ body: { userId } });
    return backupCodes.length;
  }

  async #note(member: Member, kind: string, origin: Origin, details: Record<string, string>): Promise<void> {
    await noteAudit(this.#context, { accountId: member.accountId, kind, actor: { id: member.id, name: member.name }, origin, details });
  }
}

/** Part of the name of the cookie between password and code. */
const PENDING = 'two_factor=';

/** The cookie of that name alone, of all that a browser sent. */
function only(cookie: string | undefined, name: string): string | undefined {
  return cookie?.split(/;\s*/).find((part) => part.slice(0, part.indexOf('=') + 1).endsWith(name));
}

function without(cookie: string | undefined, name: string): string | undefined {
  return cookie?.split(/;\s*/).filter((part) => !part.slice(0, part.indexOf('=') + 1).endsWith(name)).join('; ');
}

function mustBeDone({ status, code }: LibraryAnswer): void {
  if (status === 200) return;
  if (code === 'INVALID_PASSWORD') throw new HoldfastError('accounts/wrong-password', 'input', 'The password is wrong.');
  throw new HoldfastError('accounts/sign-in-again', 'input', 'Sign in again, then try once more.');
}

function wrongCode({ code }: LibraryAnswer): HoldfastError {
  if (code === 'INVALID_TWO_FACTOR_COOKIE' || code === 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE') return signInAgain();
  if (code === 'TOTP_NOT_ENABLED') return new HoldfastError('accounts/conflict', 'input', 'Begin to set up the second factor first.');
  return new HoldfastError('accounts/wrong-code', 'input', 'The code is wrong, or was used before. Wait for the next one of your app.');
}

function alreadyOn(): HoldfastError {
  return new HoldfastError('accounts/conflict', 'input', 'Your second factor is on already. Switch it off first to set up another app.');
}

function signInAgain(): HoldfastError {
  return new HoldfastError('accounts/sign-in-again', 'input', 'Begin again with your e-mail address and password.');
}
