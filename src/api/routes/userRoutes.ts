import { addMember, changeMember, inviteAgain, pageOfMembers, removeMember, resetMembersSecondFactor } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';
import { userDocument } from '../present.ts';

const os = implementer.users;

export const userRoutes = {
  list: os.list.handler(async ({ input, context }) => {
    const after = readCursor(input.cursor);
    const members = await pageOfMembers(context.services.accounts, callerOf(context).accountId, after, input.limit + 1);
    return pageFrom(members, input.limit, userDocument, ({ id }) => id);
  }),

  add: os.add.handler(async ({ input, context }) =>
    userDocument(await addMember(context.services.accounts, context.services.signIn, callerOf(context), context.origin, input))),

  change: os.change.handler(async ({ input: { id, ...rights }, context }) =>
    userDocument(await changeMember(context.services.accounts, callerOf(context), context.origin, id, rights))),

  remove: os.remove.handler(async ({ input, context }) => {
    await removeMember(context.services.accounts, callerOf(context), context.origin, input.id);
  }),

  inviteAgain: os.inviteAgain.handler(async ({ input, context }) => {
    await inviteAgain(context.services.accounts, context.services.signIn, callerOf(context), input.id);
    return { message: 'The mail is on its way once more.' };
  }),

  resetSecondFactor: os.resetSecondFactor.handler(({ input, context }) =>
    resetMembersSecondFactor(context.services.accounts, context.services.outbox, callerOf(context), context.origin, input.id)),
};
