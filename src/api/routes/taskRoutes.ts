import { mailUsage } from '../../accounts/index.ts';
import { addWithCredentials, askDiscovery, beginConsent, changeTask, deleteTask, keepTask, offers, pageOfTasks, renewCredentials, showTask, type Trial } from '../../tasks/index.ts';
import type { CallContext } from '../apiServices.ts';
import { callerOf, implementer } from '../implementer.ts';
import { listPage, readKey } from '../keyedPage.ts';
import { offerDocument, taskDocument } from '../presentTasks.ts';

const os = implementer.tasks;
/** A mail server that does not answer. */
const TRY_MS = 45_000;

export const taskRoutes = {
  services: os.services.handler(({ context }) => ({ items: offers(context.services.tasks, callerOf(context)).map(offerDocument) })),

  list: os.list.handler(async ({ input: { search, cursor, limit }, context }) => {
    const [nameOrder, id] = readKey(cursor);
    const after = nameOrder === undefined || id === undefined ? undefined : { nameOrder, id };
    const { tasks } = context.services;
    const found = await pageOfTasks(tasks, callerOf(context), { search, after, limit: limit + 1 });
    return { ...listPage(found.tasks, limit, (task) => taskDocument(tasks, task), ({ key }) => [key.nameOrder, key.id]), total: found.total };
  }),

  show: os.show.handler(({ input, context }) => shown(context, input.id)),

  add: os.add.handler(async ({ input: { credentials, ...wanted }, context }) => {
    return shown(context, await addWithCredentials(context.services.tasks, callerOf(context), context.origin, wanted, credentials, trialOf(context)));
  }),

  beginConsent: os.beginConsent.handler(async ({ input, context }) => ({ url: await beginConsent(context.services.tasks, callerOf(context), input) })),

  authoriseAgain: os.authoriseAgain.handler(async ({ input, context }) => ({ url: await beginConsent(context.services.tasks, callerOf(context), { taskId: input.id }) })),

  renewCredentials: os.renewCredentials.handler(async ({ input: { id, ...credentials }, context }) => {
    await renewCredentials(context.services.tasks, callerOf(context), context.origin, id, credentials, trialOf(context));
  }),

  change: os.change.handler(async ({ input: { id, archivedDays, retention, ...given }, context }) => {
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const change = { ...set, ...(archivedDays !== undefined && { archivedDays }), ...(retention !== undefined && { retention }) };
    await changeTask(context.services.tasks, callerOf(context), context.origin, id, change);
    return shown(context, id);
  }),

  discover: os.discover.handler(async ({ input, context }) => {
    await askDiscovery(context.services.tasks, callerOf(context), input.id);
    return { message: 'The entities are read again soon.' };
  }),

  mailUsage: os.mailUsage.handler(async ({ context }) => {
    const { accounts, newcomers, outbox, publicUrl } = context.services;
    const caller = callerOf(context);
    newcomers.count(`usage report ${caller.userId}`);
    await mailUsage(accounts, outbox, caller, context.origin, new URL('/api/v1/usage.csv', publicUrl).href);
    return { message: 'A mail with the report is on its way to you.' };
  }),

  delete: os.delete.handler(async ({ input, context }) => ({
    goneAt: (await deleteTask(context.services.tasks, callerOf(context), context.origin, input.id, input.name)).toISOString(),
  })),

  keep: os.keep.handler(({ input, context }) => keepTask(context.services.tasks, callerOf(context), context.origin, input.id)),
};

async function shown(context: CallContext, id: string): Promise<ReturnType<typeof taskDocument>> {
  const { tasks } = context.services;
  return taskDocument(tasks, await showTask(tasks, callerOf(context), id));
}

function trialOf(context: CallContext): Trial {
  const { gone, services } = context;
  return {
    count: () => services.passwordTries.count(`connection ${callerOf(context).accountId}`),
    signal: AbortSignal.any([gone, services.stopping, AbortSignal.timeout(TRY_MS)]),
  };
}
