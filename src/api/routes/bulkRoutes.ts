import { activateListed } from '../../tasks/index.ts';
import { callerOf, implementer } from '../implementer.ts';

const os = implementer.bulk;

export const bulkRoutes = {
  activateListed: os.activateListed.handler(async ({ input: { id, csv }, context }) => {
    const { leftLines, ...counts } = await activateListed(context.services.tasks, callerOf(context), context.origin, id, csv);
    return { ...counts, leftLines: leftLines.map((line) => ({ ...line })) };
  }),
};
