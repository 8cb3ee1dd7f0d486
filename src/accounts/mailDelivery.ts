import { sql } from 'kysely';
import { isHoldfastError, messageOf } from '../domain/index.ts';
import type { MailTransport } from '../mail/index.ts';
import type { Logger } from '../runtime/index.ts';
import type { AccountsContext } from './accountsContext.ts';
import { openBody } from './outbox.ts';

/** Longer than any attempt takes. A process that dies with a mail in its hand leaves it to the next one after this. */
const LEASE_MS = 10 * 60_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;
/** The links in a mail do not hold longer. */
const MOST_AGE_MS = 86_400_000;

/**
 * Sends what is due, oldest first, until nothing is or the server takes no more; gives how many mails went out. Several processes may do
 * this: each mail is in the hands of one. A mail may go out twice when a process dies after the server took it; it has the same Message-ID then.
 */
export async function deliverDue(context: AccountsContext, transport: MailTransport, log: Logger, signal: AbortSignal): Promise<number> {
  for (let sent = 0; ; sent++) {
    const mail = signal.aborted ? undefined : await takeOne(context);
    if (mail === undefined || !await deliver(context, transport, log, mail)) return sent;
  }
}

interface Taken {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly body: Buffer | null;
  readonly createdAt: Date;
  readonly attempts: number;
}

async function takeOne({ database, clock }: AccountsContext): Promise<Taken | undefined> {
  const now = new Date(clock.now());
  const due = database.query.selectFrom('outbox').select('id').where('state', '=', 'waiting').where('nextAt', '<=', now)
    .orderBy('nextAt').limit(1).forUpdate().skipLocked();
  return database.query.updateTable('outbox').set({ attempts: sql<number>`attempts + 1`, nextAt: new Date(now.getTime() + LEASE_MS) })
    .where('id', '=', due).returning(['id', 'recipient', 'subject', 'body', 'createdAt', 'attempts']).executeTakeFirst();
}

/** False where the next one would not fare better. */
async function deliver(context: AccountsContext, transport: MailTransport, log: Logger, mail: Taken): Promise<boolean> {
  const { id, recipient, subject, body, createdAt, attempts } = mail;
  if (context.clock.now() - createdAt.getTime() > MOST_AGE_MS) {
    log.warn('mail given up', { mail: id, attempts, reason: 'too old' });
    await end(context, id, 'failed', 'too old');
    return true;
  }
  try {
    await transport.send({ id, recipient, subject, date: createdAt, ...openBody(context.keys, id, body) });
  } catch (error) {
    return failed(context, log, mail, error);
  }
  await end(context, id, 'sent', null);
  log.info('mail sent', { mail: id, attempts });
  return true;
}

async function failed(context: AccountsContext, log: Logger, { id, attempts }: Taken, error: unknown): Promise<boolean> {
  const known = isHoldfastError(error) ? error : undefined;
  log.warn('mail not sent', { mail: id, attempts, code: known?.code ?? 'unexpected', message: messageOf(error) });
  if (known !== undefined && known.retryClass !== 'retry') {
    await end(context, id, 'failed', known.message);
    return true;
  }
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS);
  await context.database.query.updateTable('outbox').set({ nextAt: new Date(context.clock.now() + wait), failure: known?.message ?? 'unexpected' })
    .where('id', '=', id).execute();
  return false;
}

async function end({ database, clock }: AccountsContext, id: string, state: 'sent' | 'failed', failure: string | null): Promise<void> {
  await database.query.updateTable('outbox').set({ state, failure, body: null, endedAt: new Date(clock.now()) }).where('id', '=', id).execute();
}
