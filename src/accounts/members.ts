import { HoldfastError, PERMISSIONS, type Limit, type Permission, type Principal, type Role } from '../domain/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { secondFactorLetter } from './letters.ts';
import { limitsOf } from './limits.ts';
import type { Outbox } from './outbox.ts';

/** A user of an account, with their rights there. */
export interface Member {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly email: string;
  readonly confirmed: boolean;
  readonly role: Role;
  readonly permissions: readonly Permission[];
  readonly services: readonly string[] | undefined;
  /** A second factor is asked for at each sign-in. */
  readonly twoFactor: boolean;
  /** What keeps the user out at the moment, in person. */
  readonly limits: readonly Limit[];
  readonly createdAt: Date;
}

/** What a user is given. */
export interface Rights {
  readonly role: 'administrator' | 'custom';
  readonly permissions?: readonly Permission[] | undefined;
  readonly services?: readonly string[] | undefined;
}

/** undefined: no user of any account. */
export async function findMember(context: AccountsContext, userId: string): Promise<Member | undefined> {
  const row = await membersOf(context).where('members.userId', '=', userId).executeTakeFirst();
  return row && memberOf(row, context.clock.now());
}

/** In the order in which they were added; `after` is the id of the last one of the page before. */
export async function pageOfMembers(context: AccountsContext, accountId: string, after: string | undefined, limit: number): Promise<Member[]> {
  let query = membersOf(context).where('members.accountId', '=', accountId);
  if (after !== undefined) query = query.where('members.userId', '>', after);
  const now = context.clock.now();
  return (await query.orderBy('members.userId').limit(limit).execute()).map((row) => memberOf(row, now));
}

/** Errors: `accounts/not-found`, `accounts/conflict` for the owner, whose rights stand. */
export async function changeMember(context: AccountsContext, principal: Principal, origin: Origin, userId: string, { name, ...rights }: Rights & { name?: string | undefined }): Promise<Member> {
  await context.database.query.transaction().execute(async (transaction) => {
    const changed = await transaction.updateTable('members').set(rightsRow(rights)).where('userId', '=', userId)
      .where('accountId', '=', principal.accountId).where('role', '<>', 'owner').returning('userId').executeTakeFirst();
    if (changed === undefined) throw await whyNot(context, principal, userId, 'The rights of the owner cannot be changed.');
    if (name !== undefined) await transaction.updateTable('users').set({ name }).where('id', '=', userId).execute();
    await appendAudit(context, transaction, {
      accountId: principal.accountId, kind: 'user.rights-changed', actor: actorOf(principal), origin,
      details: { user: userId, ...rightsDetails(rights), ...(name !== undefined && { name }) },
    });
  });
  const member = await findMember(context, userId);
  if (member === undefined) throw noSuchUser();
  return member;
}

/** The user with all sessions and tokens. Errors: as {@link changeMember}. */
export async function removeMember(context: AccountsContext, principal: Principal, origin: Origin, userId: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const removed = await transaction.deleteFrom('users')
      .where('id', 'in', transaction.selectFrom('members').select('userId').where('userId', '=', userId)
        .where('accountId', '=', principal.accountId).where('role', '<>', 'owner'))
      .returning(['name', 'email']).executeTakeFirst();
    if (removed === undefined) throw await whyNot(context, principal, userId, 'The owner cannot be removed.');
    await appendAudit(context, transaction, {
      accountId: principal.accountId, kind: 'user.removed', actor: actorOf(principal), origin, details: { user: userId, name: removed.name, email: removed.email },
    });
  });
}

/** Takes a lost second factor off somebody else, and ends their sessions; they are told. Errors: as {@link changeMember}. */
export async function resetMembersSecondFactor(context: AccountsContext, outbox: Outbox, principal: Principal, origin: Origin, userId: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const user = await transaction.updateTable('users').set({ twoFactorEnabled: false })
      .where('id', 'in', transaction.selectFrom('members').select('userId').where('userId', '=', userId)
        .where('accountId', '=', principal.accountId).where('role', '<>', 'owner'))
      .returning(['name', 'email']).executeTakeFirst();
    if (user === undefined) throw await whyNot(context, principal, userId, 'The second factor of the owner cannot be taken off by others.');
    await transaction.deleteFrom('twoFactors').where('userId', '=', userId).execute();
    await transaction.deleteFrom('sessions').where('userId', '=', userId).execute();
    await outbox.put(user.email, secondFactorLetter(user.name, 'reset'), transaction);
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'two-factor.reset', actor: actorOf(principal), origin, details: { user: userId } });
  });
}

/** Of the account. Errors: `accounts/not-found`. */
export async function memberOfAccount(context: AccountsContext, accountId: string, userId: string): Promise<Member> {
  const member = await findMember(context, userId);
  if (member === undefined || member.accountId !== accountId) throw noSuchUser();
  return member;
}

/** As the table keeps them: administrators need no list. */
export function rightsRow({ role, permissions = [], services }: Rights): { role: Role; permissions: string[]; services: string[] | null } {
  const custom = role === 'custom';
  return { role, permissions: custom ? [...new Set(permissions)] : [], services: custom && services !== undefined ? [...new Set(services)] : null };
}

/** As the audit log tells them. */
export function rightsDetails(rights: Rights): { role: Role; permissions: string; services: string } {
  const { role, permissions, services } = rightsRow(rights);
  return { role, permissions: permissions.join(' '), services: services === null ? 'all' : services.join(' ') };
}

type MemberRow = Awaited<ReturnType<ReturnType<typeof membersOf>['execute']>>[number];

function membersOf({ database }: AccountsContext) {
  return database.query.selectFrom('members').innerJoin('users', 'users.id', 'members.userId').innerJoin('accounts', 'accounts.id', 'members.accountId').select([
    'members.userId', 'members.accountId', 'members.role', 'members.permissions', 'members.services', 'members.createdAt', 'members.passwordSetAt',
    'users.name', 'users.email', 'users.emailVerified', 'users.twoFactorEnabled',
    'accounts.twoFactorEnforced', 'accounts.passwordDays', 'accounts.terminatedAt',
  ]);
}

function memberOf(row: MemberRow, now: number): Member {
  const { userId, accountId, name, email, emailVerified, role, services, permissions, createdAt, twoFactorEnabled } = row;
  // One that this version does not know gives no right.
  const known = PERMISSIONS.filter((permission) => permissions.includes(permission));
  return {
    id: userId, accountId, name, email, confirmed: emailVerified, role, permissions: known, services: services ?? undefined,
    twoFactor: twoFactorEnabled, limits: limitsOf(row, now), createdAt,
  };
}

async function whyNot(context: AccountsContext, { accountId }: Principal, userId: string, owner: string): Promise<HoldfastError> {
  const member = await findMember(context, userId);
  return member?.accountId === accountId ? new HoldfastError('accounts/conflict', 'input', owner) : noSuchUser();
}

function noSuchUser(): HoldfastError {
  return new HoldfastError('accounts/not-found', 'input', 'The account has no such user.');
}
