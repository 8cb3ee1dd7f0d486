import { HoldfastError, type Principal } from '../domain/index.ts';
import { appendAudit, noteAudit } from './audit.ts';
import { findToken } from './apiTokens.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { findMember, type Member } from './members.ts';
import { activationToken, callSignIn, openSignInLibrary, type LibraryAnswer, type LibraryCall, type SignInLibrary } from './signInLibrary.ts';
import type { Outbox } from './outbox.ts';

/** How a request says who sends it. */
export interface Credentials {
  readonly cookie: string | undefined;
  /** What stands after "Bearer ". */
  readonly bearer: string | undefined;
}

/** What signing in gives: the user, and the cookies to set. */
export interface SignedIn {
  readonly member: Member;
  readonly cookies: readonly string[];
}

/** Everything around passwords, sessions and mailed links. */
export class SignIn {
  readonly #context: AccountsContext;
  readonly #publicUrl: string;
  readonly #outbox: Outbox;
  readonly #library: SignInLibrary;

  constructor(context: AccountsContext, publicUrl: string, outbox: Outbox) {
    this.#context = context;
    this.#publicUrl = publicUrl;
    this.#outbox = outbox;
    this.#library = openSignInLibrary(context, {
      publicUrl,
      mailActivation: (email, name, token) => outbox.activation(email, name, this.#link('/api/v1/auth/activation', token)),
      mailReset: (email, name, token) => outbox.passwordReset(email, name, this.#link('/reset-password', token)),
      confirmed: (userId) => this.#confirmed(userId),
    });
  }

  /** Who sends the request; undefined: nobody that is known. A token that does not hold makes nobody of a session beside it. */
  async principal({ cookie, bearer }: Credentials): Promise<Principal | undefined> {
    if (bearer !== undefined) {
      const token = await findToken(this.#context, bearer);
      const member = token && await findMember(this.#context, token.userId);
      return token && member && principalOf(member, { kind: 'token', tokenId: token.tokenId, scopes: token.scopes });
    }
    if (cookie === undefined) return undefined;
    const answer = await this.#library.api.getSession({ headers: new Headers({ cookie }) });
    const member = answer === null ? undefined : await findMember(this.#context, answer.user.id);
    // Every way to a session asks for a confirmed address; one that is made some other way stays outside.
    if (answer === null || member === undefined || !member.confirmed) return undefined;
    return principalOf(member, { kind: 'session', sessionId: answer.session.id });
  }

  /** Errors: `accounts/wrong-credentials`, `accounts/not-confirmed` (a new link is on its way), `accounts/too-many`. */
  async signIn(email: string, password: string, origin: Origin): Promise<SignedIn> {
    const answer = await this.#call({ method: 'POST', path: '/sign-in/email', body: { email, password } }, origin);
    const member = await this.#memberOf(email);
    if (answer.status !== 200 || member === undefined) {
      if (member !== undefined) await this.#note(member, 'sign-in.failed', origin, { reason: answer.code ?? 'unknown' });
      throw refusal(answer);
    }
    await this.#note(member, 'sign-in.succeeded', origin, { method: 'password' });
    return { member, cookies: answer.cookies };
  }

  /** Gives the cookies to set, which end it in the browser too. */
  async signOut(principal: Principal, cookie: string | undefined, origin: Origin): Promise<readonly string[]> {
    const { cookies } = await this.#call({ method: 'POST', path: '/sign-out', body: {} }, origin, cookie);
    await noteAudit(this.#context, { accountId: principal.accountId, kind: 'sign-out', actor: { id: principal.userId, name: principal.name }, origin });
    return cookies;
  }

  /** Says nothing of whether the address is known. */
  async askReset(email: string, origin: Origin): Promise<void> {
    await this.#call({ method: 'POST', path: '/request-password-reset', body: { email } }, origin);
  }

  /** Errors: `accounts/bad-link`. */
  async reset(token: string, password: string, origin: Origin): Promise<void> {
    const answer = await this.#call({ method: 'POST', path: '/reset-password', body: { token, newPassword: password } }, origin);
    if (answer.status !== 200) throw badLink();
  }

  /** Confirms the address that the token was mailed to. Errors: `accounts/bad-link`. */
  async activate(token: string, origin: Origin): Promise<void> {
    const answer = await this.#call({ method: 'GET', path: '/verify-email', query: { token } }, origin);
    if (answer.status !== 200) throw badLink();
  }

  async mailActivation(userId: string, email: string, name: string): Promise<void> {
    const token = await activationToken(this.#context, userId, email);
    await this.#outbox.activation(email, name, this.#link('/api/v1/auth/activation', token));
  }

  async mailTaken(email: string): Promise<void> {
    await this.#outbox.taken(email, this.#publicUrl);
  }

  async hashPassword(password: string): Promise<string> {
    return (await this.#library.$context).password.hash(password);
  }

  #call(call: Omit<LibraryCall, 'address' | 'agent' | 'cookie'>, { address, agent }: Origin, cookie?: string): Promise<LibraryAnswer> {
    return callSignIn(this.#library, this.#publicUrl, { ...call, address, agent, cookie });
  }

  #link(path: string, token: string): string {
    const url = new URL(path, this.#publicUrl);
    url.searchParams.set('token', token);
    return url.href;
  }

  async #memberOf(email: string): Promise<Member | undefined> {
    const user = await this.#context.database.query.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst();
    return user && findMember(this.#context, user.id);
  }

  async #note(member: Member, kind: string, origin: Origin, details: Record<string, string>): Promise<void> {
    await noteAudit(this.#context, { accountId: member.accountId, kind, actor: { id: member.id, name: member.name }, origin, details });
  }

  async #confirmed(userId: string): Promise<void> {
    const { database, clock } = this.#context;
    await database.query.transaction().execute(async (transaction) => {
      const member = await transaction.selectFrom('members').innerJoin('users', 'users.id', 'members.userId')
        .select(['members.accountId', 'members.role', 'users.name']).where('members.userId', '=', userId).executeTakeFirst();
      if (member === undefined) return;
      if (member.role === 'owner') {
        await transaction.updateTable('accounts').set({ activatedAt: new Date(clock.now()) }).where('id', '=', member.accountId).where('activatedAt', 'is', null).execute();
      }
      await appendAudit(this.#context, transaction, {
        accountId: member.accountId, kind: 'user.confirmed', actor: { id: userId, name: member.name }, origin: undefined,
      });
    });
  }
}

function principalOf({ id, accountId, name, email, role, permissions, services }: Member, via: Principal['via']): Principal {
  return { userId: id, accountId, name, email, role, permissions, services, via };
}

function refusal({ code }: LibraryAnswer): HoldfastError {
  if (code === 'EMAIL_NOT_VERIFIED') {
    return new HoldfastError('accounts/not-confirmed', 'input', 'This address is not confirmed yet. We have sent the link once more: open it, then sign in.');
  }
  return new HoldfastError('accounts/wrong-credentials', 'input', 'E-mail address or password is wrong.');
}

function badLink(): HoldfastError {
  return new HoldfastError('accounts/bad-link', 'input', 'This link is not valid any more. Ask for a new one.');
}
