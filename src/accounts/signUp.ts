import { HoldfastError, type Principal, type Role } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { showAccount } from './account.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { findMember, memberOfAccount, rightsDetails, rightsRow, type Member, type Rights } from './members.ts';
import type { SignIn } from './signIn.ts';

const TRIAL_MS = 14 * 86_400_000;

/** Who is to be added. */
export interface NewUser {
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

/** An account that is to be made, with its owner. */
export interface NewAccount extends NewUser {
  readonly company: string;
  readonly location: string;
}

/**
 * Makes an account and its owner, and mails the activation link. Where the address is taken it mails that instead, and answers
 * the same: who asks learns nothing of others. Errors: `accounts/invalid` for an unknown location, `accounts/weak-password`.
 */
export async function signUp(context: AccountsContext, signIn: SignIn, origin: Origin, wanted: NewAccount): Promise<void> {
  const { clock, random, database, locations } = context;
  if (!locations.some(({ id }) => id === wanted.location)) {
    throw new HoldfastError('accounts/invalid', 'input', 'There is no such location. Choose one of the list.');
  }
  // Before it is known whether the address is taken, so that both ways take the same time.
  const password = await signIn.passwords.hash(wanted.password, wanted);
  const now = clock.now();
  const accountId = timeOrderedId(now, random);
  const userId = timeOrderedId(now, random);
  const made = await unlessTaken(database.query.transaction().execute(async (transaction) => {
    await transaction.insertInto('accounts').values({
      id: accountId, company: wanted.company, location: wanted.location, createdAt: new Date(now), trialEndsAt: new Date(now + TRIAL_MS),
    }).execute();
    await addUser(context, transaction, { userId, accountId, role: 'owner', permissions: [], services: null }, { ...wanted, password });
    await appendAudit(context, transaction, {
      accountId, kind: 'account.made', actor: { id: userId, name: wanted.name }, origin, details: { location: wanted.location, company: wanted.company },
    });
  }));
  if (made) await signIn.mailActivation(userId, wanted.email, wanted.name);
  else await signIn.mailTaken(wanted.email);
}

/** Adds a user to the caller's account. Errors: `accounts/exists`, `accounts/weak-password`. */
export async function addMember(
  context: AccountsContext, signIn: SignIn, principal: Principal, origin: Origin, wanted: NewUser & Rights,
): Promise<Member> {
  const { clock, random, database } = context;
  const password = await signIn.passwords.hash(wanted.password, wanted);
  const userId = timeOrderedId(clock.now(), random);
  const { accountId } = principal;
  const added = await unlessTaken(database.query.transaction().execute(async (transaction) => {
    await addUser(context, transaction, { userId, accountId, ...rightsRow(wanted) }, { ...wanted, password });
    await appendAudit(context, transaction, {
      accountId, kind: 'user.added', actor: actorOf(principal), origin, details: { user: userId, email: wanted.email, ...rightsDetails(wanted) },
    });
  }));
  const member = added ? await findMember(context, userId) : undefined;
  if (member === undefined) {
    throw new HoldfastError('accounts/exists', 'input', 'This e-mail address has a user already, here or in another account. Use another address.');
  }
  await invite(context, signIn, member);
  return member;
}

/** Mails the link to a user who has not confirmed the address yet. Errors: `accounts/not-found`, `accounts/conflict` where it is confirmed. */
export async function inviteAgain(context: AccountsContext, signIn: SignIn, principal: Principal, userId: string): Promise<void> {
  const member = await memberOfAccount(context, principal.accountId, userId);
  if (member.confirmed) throw new HoldfastError('accounts/conflict', 'input', 'This user has confirmed the address already.');
  await invite(context, signIn, member);
}

async function invite(context: AccountsContext, signIn: SignIn, member: Member): Promise<void> {
  const { company } = await showAccount(context, member.accountId);
  await signIn.mailInvitation(member, company);
}

interface Membership {
  readonly userId: string;
  readonly accountId: string;
  readonly role: Role;
  readonly permissions: string[];
  readonly services: string[] | null;
}

/** Throws {@link TAKEN} where the address has a user: the transaction is given up. */
async function addUser(
  { clock, random }: AccountsContext, transaction: AccountsContext['database']['query'], membership: Membership, user: NewUser,
): Promise<void> {
  const now = new Date(clock.now());
  const { userId } = membership;
  const made = await transaction.insertInto('users').values({ id: userId, name: user.name, email: user.email, createdAt: now, updatedAt: now })
    .onConflict((conflict) => conflict.column('email').doNothing()).returning('id').executeTakeFirst();
  if (made === undefined) throw TAKEN;
  await transaction.insertInto('signIns').values({
    id: timeOrderedId(now.getTime(), random), accountId: userId, providerId: 'credential', userId, password: user.password, createdAt: now, updatedAt: now,
  }).execute();
  await transaction.insertInto('members').values({ ...membership, createdAt: now }).execute();
}

const TAKEN = new HoldfastError('accounts/exists', 'input', 'The address is taken.');

/** Whether the work was done; false where the address is taken. */
async function unlessTaken(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error === TAKEN) return false;
    throw error;
  }
}
