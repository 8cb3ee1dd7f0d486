import { activateListed, changeRule, deleteRule, listRules, makeRule, pageOfValues } from '../../tasks/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { listPage, readKey } from '../keyedPage.ts';
import { ruleDocument } from '../presentTasks.ts';

const os = implementer.bulk;
const rules = implementer.rules;

export const bulkRoutes = {
  values: os.values.handler(async ({ input: { id, property, search, cursor, limit }, context }) => {
    const [after] = readKey(cursor);
    const values = await pageOfValues(context.services.tasks, callerOf(context), id, property, { search, after, limit: limit + 1 });
    return listPage(values, limit, (value) => ({ ...value }), ({ value }) => [value, '']);
  }),

  activateListed: os.activateListed.handler(async ({ input: { id, csv }, context }) => {
    const { leftLines, ...counts } = await activateListed(context.services.tasks, callerOf(context), context.origin, id, csv);
    return { ...counts, leftLines: leftLines.map((line) => ({ ...line })) };
  }),
};

export const ruleRoutes = {
  list: rules.list.handler(async ({ input, context }) => ({ items: (await listRules(context.services.tasks, callerOf(context), input.id)).map(ruleDocument) })),

  make: rules.make.handler(async ({ input: { id, ...rule }, context }) => ({ id: await makeRule(context.services.tasks, callerOf(context), context.origin, id, rule) })),

  change: rules.change.handler(async ({ input: { id, name, enabled, conditions }, context }) => {
    const change = { ...(name !== undefined && { name }), ...(enabled !== undefined && { enabled }), ...(conditions !== undefined && { conditions }) };
    return ruleDocument(await changeRule(context.services.tasks, callerOf(context), context.origin, id, change));
  }),

  delete: rules.delete.handler(({ input, context }) => deleteRule(context.services.tasks, callerOf(context), context.origin, input.id)),
};
