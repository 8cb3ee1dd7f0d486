import { sql } from 'kysely';
import { renderLetter, type Letter } from '../mail/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import type { AccountsContext } from './accountsContext.ts';
import { seal, unseal } from './serviceKeys.ts';

/** A mail as it was written. */
export interface Mail {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly createdAt: Date;
}

/** Told to who listens, when a mail was put in. */
export const OUTBOX_CHANNEL = 'holdfast_outbox';

/** Mail that is to go out. It is kept sealed, since it holds links that open an account, and only until it is sent. */
export class Outbox {
  readonly #context: AccountsContext;

  constructor(context: AccountsContext) {
    this.#context = context;
  }

  /** Give the transaction that the letter tells of, where there is one. */
  async put(recipient: string, letter: Letter, query = this.#context.database.query): Promise<void> {
    const { keys, clock, random } = this.#context;
    const now = new Date(clock.now());
    const id = timeOrderedId(clock.now(), random);
    const { subject, text, html } = renderLetter(letter);
    const body = seal(keys, purposeOf(id), JSON.stringify({ text, html }), random);
    await query.insertInto('outbox').values({ id, recipient, subject, body, createdAt: now, nextAt: now }).execute();
    await sql`select pg_notify(${OUTBOX_CHANNEL}, '')`.execute(query);
  }

  /** Those that wait, newest first; of everybody unless a recipient is given. `before` is the id of the last one of the page before. */
  async newest(recipient: string | undefined, limit: number, before?: string): Promise<Mail[]> {
    const { database, keys } = this.#context;
    let query = database.query.selectFrom('outbox').select(['id', 'recipient', 'subject', 'body', 'createdAt']).where('state', '=', 'waiting');
    if (recipient !== undefined) query = query.where('recipient', '=', recipient);
    if (before !== undefined) query = query.where('id', '<', before);
    const rows = await query.orderBy('id', 'desc').limit(limit).execute();
    return rows.map(({ body, ...row }) => ({ ...row, ...openBody(keys, row.id, body) }));
  }
}

/** What a row of the outbox says. */
export function openBody(keys: AccountsContext['keys'], id: string, body: Buffer | null): { text: string; html: string } {
  if (body === null) return { text: '', html: '' };
  return JSON.parse(unseal(keys, purposeOf(id), body)) as { text: string; html: string };
}

function purposeOf(id: string): string {
  return `outbox ${id}`;
}
