import { HoldfastError, PERMISSIONS, type Permission, type Principal, type Role } from '../domain/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';

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
  return row && memberOf(row);
}

/** In the order in which they were added; `after` is the id of the last one of the page before. */
export async function pageOfMembers(context: AccountsContext, accountId: string, after: string | undefined, limit: number): Promise<Member[]> {
  let query = membersOf(context).where('members.accountId', '=', accountId);
  if (after !== undefined) query = query.where('members.userId', '>', after);
  return (await query.orderBy('members.userId').limit(limit).execute()).map(memberOf);
}

/** Errors: `accounts/not-found`, `accounts/conflict` for the owner, whose rights stand. */
export async function changeMember(context: AccountsContext, principal: Principal, origin: Origin, userId: string, rights: Rights): Promise<Member> {
  await context.database.query.transaction().execute(async (transaction) => {
    const changed = await transaction.updateTable('members').set(rightsRow(rights)).where('userId', '=', userId)
      .where('accountId', '=', principal.accountId).where('role', '<>', 'owner').returning('userId').executeTakeFirst();
    if (changed === undefined) throw await whyNot(context, principal, userId, 'The rights of the owner cannot be changed.');
    await appendAudit(context, transaction, {
      accountId: principal.accountId, kind: 'user.rights-changed', actor: actorOf(principal), origin, details: { user: userId, ...rightsDetails(rights) },
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
  return database.query.selectFrom('members').innerJoin('users', 'users.id', 'members.userId').select([
    'members.userId', 'members.accountId', 'members.role', 'members.permissions', 'members.services', 'members.createdAt',
    'users.name', 'users.email', 'users.emailVerified',
  ]);
}

function memberOf({ userId, emailVerified, services, permissions, ...row }: MemberRow): Member {
  // One that this version does not know gives no right.
  const known = PERMISSIONS.filter((permission) => permissions.includes(permission));
  return { ...row, id: userId, confirmed: emailVerified, permissions: known, services: services ?? undefined };
}

async function whyNot(context: AccountsContext, { accountId }: Principal, userId: string, owner: string): Promise<HoldfastError> {
  const member = await findMember(context, userId);
  return member?.accountId === accountId ? new HoldfastError('accounts/conflict', 'input', owner) : noSuchUser();
}

function noSuchUser(): HoldfastError {
  return new HoldfastError('accounts/not-found', 'input', 'The account has no such user.');
}
