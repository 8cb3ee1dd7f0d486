import { HoldfastError, type Principal } from '../domain/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { passwordChangedLetter } from './letters.ts';
import type { Outbox } from './outbox.ts';
import { checkPassword, type PasswordOwner } from './passwordRules.ts';
import type { LibraryCaller, SignInLibrary } from './signInLibrary.ts';

/** Setting, changing and proving passwords. */
export class Passwords {
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

  /** For a user who is to be made. Errors: `accounts/weak-password`. */
  async hash(password: string, owner: PasswordOwner): Promise<string> {
    checkPassword(password, owner);
    return (await this.#library.$context).password.hash(password);
  }

  /** Errors: `accounts/wrong-password`. Whoever calls this counts the tries. */
  async prove({ userId }: Principal, password: string): Promise<void> {
    const row = await this.#context.database.query.selectFrom('signIns').select('password').where('userId', '=', userId).where('providerId', '=', 'credential').executeTakeFirst();
    const right = typeof row?.password === 'string' && await (await this.#library.$context).password.verify({ hash: row.password, password });
    if (!right) throw wrongPassword();
  }

  /** Ends all sessions but a new one, whose cookies it gives. Errors: `accounts/wrong-password`, `accounts/weak-password`. */
  async change(principal: Principal, cookie: string | undefined, passwords: { current: string; password: string }, origin: Origin): Promise<readonly string[]> {
    const { current, password } = passwords;
    checkPassword(password, principal);
    if (current === password) throw new HoldfastError('accounts/weak-password', 'input', 'This is the password that you have. Take another one.');
    const answer = await this.#call({ method: 'POST', path: '/change-password', body: { currentPassword: current, newPassword: password, revokeOtherSessions: true } }, origin, cookie);
    if (answer.status !== 200) throw wrongPassword();
    await this.#wasSet(principal.userId, 'password.changed', origin);
    return answer.cookies;
  }

  /** Says nothing of whether the address is known. */
  async askReset(email: string, origin: Origin): Promise<void> {
    await this.#call({ method: 'POST', path: '/request-password-reset', body: { email } }, origin);
  }

  /** Ends all sessions. Errors: `accounts/bad-link`, `accounts/weak-password`, after which the link still holds. */
  async reset(token: string, password: string, origin: Origin): Promise<void> {
    const { internalAdapter } = await this.#library.$context;
    const link = await internalAdapter.findVerificationValue(`reset-password:${token}`);
    const owner = link && await this.#context.database.query.selectFrom('users').select(['name', 'email']).where('id', '=', link.value).executeTakeFirst();
    if (owner) checkPassword(password, owner);
    const answer = await this.#call({ method: 'POST', path: '/reset-password', body: { token, newPassword: password } }, origin);
    if (answer.status !== 200) throw new HoldfastError('accounts/bad-link', 'input', 'This link is not valid any more. Ask for a new one.');
  }

  /** The library has set it. */
  async wasReset(userId: string): Promise<void> {
    await this.#wasSet(userId, 'password.reset', undefined);
  }

  async #wasSet(userId: string, kind: string, origin: Origin | undefined): Promise<void> {
    await this.#context.database.query.transaction().execute(async (transaction) => {
      const member = await transaction.updateTable('members').set({ passwordSetAt: new Date(this.#context.clock.now()) }).where('userId', '=', userId)
        .returning('accountId').executeTakeFirst();
      const user = await transaction.selectFrom('users').select(['name', 'email']).where('id', '=', userId).executeTakeFirst();
      if (member === undefined || user === undefined) return;
      await this.#outbox.put(user.email, passwordChangedLetter(user.name), transaction);
      await appendAudit(this.#context, transaction, { accountId: member.accountId, kind, actor: actorOf({ userId, name: user.name }), origin });
    });
  }
}

function wrongPassword(): HoldfastError {
  return new HoldfastError('accounts/wrong-password', 'input', 'The password is wrong.');
}
