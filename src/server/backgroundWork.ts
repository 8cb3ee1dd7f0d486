import { deliverDue, eraseGone, OUTBOX_CHANNEL, tidy, type AccountsContext, type Outbox } from '../accounts/index.ts';
import { listen } from '../database/index.ts';
import type { MailTransport } from '../mail/index.ts';
import type { Logger } from '../runtime/index.ts';
import { discoverDue, DISCOVERY_CHANNEL, eraseDue, type TasksContext } from '../tasks/index.ts';
import { Bell, repeat } from './repeat.ts';
import type { ServiceRole } from './runService.ts';

/** New mail is heard of; this is for what is to be tried again. */
const MAIL_MS = 10_000;
/** What is asked for is heard of; this is for what is due. */
const DISCOVERY_MS = 30_000;
/** So many tasks are read at a time: a large tenant takes long, and the others do not wait for it. */
const READERS = 3;
const ERASE_MS = 60_000;
const TIDY_MS = 3_600_000;

/** What background work needs. */
export interface Background {
  readonly roles: ReadonlySet<ServiceRole>;
  readonly accounts: AccountsContext;
  readonly tasks: TasksContext;
  readonly outbox: Outbox;
  readonly transport: MailTransport | undefined;
  readonly log: Logger;
}

/** Does what the process's roles ask for besides answering requests, until `signal` is aborted. */
export async function workInBackground({ roles, accounts, tasks, outbox, transport, log }: Background, signal: AbortSignal): Promise<void> {
  const work: Promise<void>[] = [];
  if (roles.has('worker') && transport !== undefined) work.push(sendMail(accounts, transport, log, signal));
  if (roles.has('worker')) work.push(readEntities(tasks, log, signal));
  if (roles.has('scheduler')) {
    work.push(repeat({ name: 'erase tasks', everyMs: ERASE_MS, work: () => eraseTasks(tasks, log, signal) }, log, signal));
    work.push(repeat({ name: 'erase accounts', everyMs: ERASE_MS, work: () => erase(accounts, outbox, log, signal) }, log, signal));
    work.push(repeat({ name: 'tidy', everyMs: TIDY_MS, work: () => tidy(accounts) }, log, signal));
  }
  await Promise.all(work);
}

async function sendMail(accounts: AccountsContext, transport: MailTransport, log: Logger, signal: AbortSignal): Promise<void> {
  const bell = new Bell();
  const listening = await listen(accounts.database, OUTBOX_CHANNEL, {
    onMessage: () => bell.ring(), onGap: () => bell.ring(), onTrouble: (message) => log.warn('outbox', { message }),
  });
  try {
    await repeat({ name: 'send mail', everyMs: MAIL_MS, work: () => deliverDue(accounts, transport, log, signal) }, log, signal, bell);
  } finally {
    await listening.close();
    transport.close();
  }
}

async function readEntities(tasks: TasksContext, log: Logger, signal: AbortSignal): Promise<void> {
  const bells = Array.from({ length: READERS }, () => new Bell());
  const ring = (): void => bells.forEach((bell) => bell.ring());
  const listening = await listen(tasks.database, DISCOVERY_CHANNEL, { onMessage: ring, onGap: ring, onTrouble: (message) => log.warn('discovery', { message }) });
  try {
    await Promise.all(bells.map((bell) => repeat({ name: 'read entities', everyMs: DISCOVERY_MS, work: () => discoverDue(tasks, log, signal) }, log, signal, bell)));
  } finally {
    await listening.close();
  }
}

async function eraseTasks(tasks: TasksContext, log: Logger, signal: AbortSignal): Promise<void> {
  const erased = await eraseDue(tasks, signal);
  if (erased.tasks + erased.entities > 0) log.info('tasks erased', { ...erased });
}

async function erase(accounts: AccountsContext, outbox: Outbox, log: Logger, signal: AbortSignal): Promise<void> {
  const erased = await eraseGone(accounts, outbox, signal);
  if (erased > 0) log.info('accounts erased', { accounts: erased });
}
