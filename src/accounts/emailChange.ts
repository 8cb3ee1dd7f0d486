import { createHash } from 'node:crypto';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { appendAudit, actorOf } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { emailChangedLetter, emailChangeLetter, takenLetter } from './letters.ts';
import type { Outbox } from './outbox.ts';

const LINK_MS = 86_400_000;
const TOKEN_BYTES = 32;
/** PostgreSQL's code. */
const UNIQUE_VIOLATION = '23505';

/**
 * Mails a link to the new address, which counts once the link was opened; asked again it sends another one. An address that has a user
 * gets a mail that says so: who asks learns nothing.
 */
export async function askEmailChange(context: AccountsContext, outbox: Outbox, publicUrl: string, principal: Principal, origin: Origin, email: string): Promise<void> {
  const { clock, random, database } = context;
  const { userId, accountId } = principal;
  const token = random(TOKEN_BYTES).toString('base64url');
  const link = new URL('/api/v1/auth/email-change', publicUrl);
  link.searchParams.set('token', token);
  const row = { email, digest: digestOf(token), expiresAt: new Date(clock.now() + LINK_MS), createdAt: new Date(clock.now()) };
  await database.query.transaction().execute(async (transaction) => {
    const taken = await transaction.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst();
    await transaction.insertInto('emailChanges').values({ userId, ...row }).onConflict((conflict) => conflict.column('userId').doUpdateSet(row)).execute();
    await outbox.put(email, taken === undefined ? emailChangeLetter(principal.name, link.href) : takenLetter(publicUrl), transaction);
    await appendAudit(context, transaction, { accountId, kind: 'user.email-change-asked', actor: actorOf(principal), origin, details: { email } });
  });
}

/** The address that waits for its confirmation. */
export async function pendingEmail({ database, clock }: AccountsContext, userId: string): Promise<string | undefined> {
  const row = await database.query.selectFrom('emailChanges').select('email').where('userId', '=', userId).where('expiresAt', '>', new Date(clock.now())).executeTakeFirst();
  return row?.email;
}

/** Forgets it. */
export async function withdrawEmailChange({ database }: AccountsContext, { userId }: Principal): Promise<void> {
  await database.query.deleteFrom('emailChanges').where('userId', '=', userId).execute();
}

/**
 * Makes the mailed token's address the user's. Links that were mailed to the old one open nothing any more, and the old address is told.
 * Errors: `accounts/bad-link`, also where the address was taken meanwhile.
 */
export async function confirmEmailChange(context: AccountsContext, outbox: Outbox, token: string, origin: Origin): Promise<void> {
  const { database, clock } = context;
  const now = new Date(clock.now());
  await database.query.transaction().execute(async (transaction) => {
    const change = await transaction.deleteFrom('emailChanges').where('digest', '=', digestOf(token)).where('expiresAt', '>', now).returning(['userId', 'email']).executeTakeFirst();
    if (change === undefined) throw badLink();
    const { userId, email } = change;
    const user = await transaction.selectFrom('users').innerJoin('members', 'members.userId', 'users.id').select(['users.name', 'users.email', 'members.accountId'])
      .where('users.id', '=', userId).forUpdate().executeTakeFirst();
    if (user === undefined) throw badLink();
    await transaction.updateTable('users').set({ email, emailVerified: true, updatedAt: now }).where('id', '=', userId).execute();
    await transaction.deleteFrom('verifications').where('value', '=', userId).execute();
    await outbox.put(user.email, emailChangedLetter(user.name, email), transaction);
    await appendAudit(context, transaction, {
      accountId: user.accountId, kind: 'user.email-changed', actor: { id: userId, name: user.name }, origin, details: { before: user.email, email },
    });
  }).catch((error: unknown) => {
    // The index over all addresses decides, also between two at the same moment.
    throw error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION ? badLink() : error;
  });
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function badLink(): HoldfastError {
  return new HoldfastError('accounts/bad-link', 'input', 'This link is not valid any more. Ask for a new one.');
}
