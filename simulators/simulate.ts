/** Stand-ins for services, as programs. Run: `npm run simulate -- microsoft365 --port N` */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startMicrosoft365 } from './microsoft365/index.ts';

const USAGE = `usage: npm run simulate -- microsoft365 [--port N] [--seed S] [--mailboxes M] [--items K]
  --port N        port on 127.0.0.1; a free one unless told
  --seed S        the same seed makes the same tenant (1)
  --mailboxes M   users with a mailbox (5)
  --items K       items in each mailbox, of all kinds together (200)
Prints one line of JSON when it is ready; ends on SIGINT or SIGTERM.`;

async function simulate(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args], allowPositionals: true,
    options: { port: { type: 'string' }, seed: { type: 'string' }, mailboxes: { type: 'string' }, items: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    return;
  }
  if (positionals.length !== 1 || positionals[0] !== 'microsoft365') throw new UsageError(`say which service; there is: microsoft365`);
  const simulator = await startMicrosoft365({
    seed: values.seed ?? '1', port: number('port', values.port, 0), mailboxes: number('mailboxes', values.mailboxes, 5), items: number('items', values.items, 200),
  });
  const { graphUrl, loginUrl, tenant, clientId, clientSecret } = simulator;
  console.log(JSON.stringify({ graphUrl, loginUrl, tenant, clientId, clientSecret }));
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await simulator.close();
}

class UsageError extends Error {}

function number(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw new UsageError(`--${name} takes a number, not '${text}'`);
  return Number(text);
}

try {
  await simulate(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  if (!isUsage) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
