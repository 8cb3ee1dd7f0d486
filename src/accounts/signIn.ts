import { HoldfastError, type Principal } from '../domain/index.ts';
import { appendAudit, noteAudit } from './audit.ts';
import { findToken } from './apiTokens.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { activationLetter, invitationLetter, resetLetter, takenLetter } from './letters.ts';
import { findMember, type Member } from './members.ts';
import type { Outbox } from './outbox.ts';
import { Passwords } from './passwords.ts';
import { SecondFactor } from './secondFactor.ts';
import { activationToken, callSignIn, openSignInLibrary, type LibraryAnswer, type LibraryCaller, type SignInLibrary } from './signInLibrary.ts';

/** How a request says who sends it. */
export interface Credentials {
  readonly cookie: string | undefined;
  /** What stands after "Bearer ". */
  readonly bearer: string | undefined;
}

/** What signing in gives. Without a member the password was right, and a code has to follow; in both cases there are cookies to set. */
export interface SignedIn {
  readonly member: Member | undefined;
  readonly cookies: readonly string[];
}

/** Everything around signing in: sessions, passwords, second factors and mailed links. */
export class SignIn {
  readonly passwords: Passwords;
  readonly secondFactor: SecondFactor;
  readonly #context: AccountsContext;
  readonly #publicUrl: string;
  readonly #outbox: Outbox;
  readonly #library: SignInLibrary;
  readonly #call: LibraryCaller;

  constructor(context: AccountsContext, publicUrl: string, outbox: Outbox) {
    this.#context = context;
    this.#publicUrl = publicUrl;
    this.#outbox = outbox;
    this.#library = openSignInLibrary(context, {
      publicUrl,
      mailActivation: (email, name, token) => outbox.put(email, activationLetter(name, this.#activationLink(token))),
      mailReset: (email, name, token) => outbox.put(email, resetLetter(name, this.#link('/reset-password', token))),
      confirmed: (userId) => this.#confirmed(userId),
      passwordReset: (userId) => this.passwords.wasReset(userId),
    });
    this.#call = (call, { address, agent }, cookie) => callSignIn(this.#library, publicUrl, { ...call, address, agent, cookie });
    this.passwords = new Passwords(context, outbox, this.#library, this.#call);
    this.secondFactor = new SecondFactor(context, outbox, this.#library, this.#call);
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
      if (member !== undefined) await this.#note(member, 'sign-in.failed', origin, { method: 'password', reason: answer.code ?? 'unknown' });
      throw refusal(answer);
    }
    if (answer.body['twoFactorRedirect'] === true) return { member: undefined, cookies: answer.cookies };
    await this.#note(member, 'sign-in.succeeded', origin, { method: 'password' });
    return { member, cookies: answer.cookies };
  }

  /** Gives the cookies to set, which end it in the browser too. */
  async signOut(principal: Principal, cookie: string | undefined, origin: Origin): Promise<readonly string[]> {
    const { cookies } = await this.#call({ method: 'POST', path: '/sign-out', body: {} }, origin, cookie);
    await noteAudit(this.#context, { accountId: principal.accountId, kind: 'sign-out', actor: { id: principal.userId, name: principal.name }, origin });
    return cookies;
  }

  /** Confirms the address that the token was mailed to. Errors: `accounts/bad-link`. */
  async activate(token: string, origin: Origin): Promise<void> {
    const answer = await this.#call({ method: 'GET', path: '/verify-email', query: { token } }, origin);
    if (answer.status !== 200) throw badLink();
  }

  /** To who signed up. */
  async mailActivation(userId: string, email: string, name: string): Promise<void> {
    await this.#outbox.put(email, activationLetter(name, this.#activationLink(await activationToken(this.#context, userId, email))));
  }

  /** To who was added by somebody else. */
  async mailInvitation({ id, email, name }: Pick<Member, 'id' | 'email' | 'name'>, company: string): Promise<void> {
    await this.#outbox.put(email, invitationLetter(name, company, this.#activationLink(await activationToken(this.#context, id, email))));
  }

  async mailTaken(email: string): Promise<void> {
    await this.#outbox.put(email, takenLetter(this.#publicUrl));
  }

  #activationLink(token: string): string {
    return this.#link('/api/v1/auth/activation', token);
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

/** Programs have no password that could be too old. */
function principalOf({ id, accountId, name, email, role, permissions, services, limits }: Member, via: Principal['via']): Principal {
  return {
    userId: id, accountId, name, email, role, permissions, services, via,
    limits: via.kind === 'session' ? limits : limits.filter((limit) => limit !== 'password-expired'),
  };
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
