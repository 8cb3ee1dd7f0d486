import { timeOrderedId } from '../runtime/index.ts';
import type { AccountsContext } from './accountsContext.ts';
import { seal, unseal } from './serviceKeys.ts';

/** A mail as it was written. */
export interface Mail {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
  readonly createdAt: Date;
}

/** Mail that is to go out. It is kept sealed: it holds links that open an account. */
export class Outbox {
  readonly #context: AccountsContext;

  constructor(context: AccountsContext) {
    this.#context = context;
  }

  async activation(email: string, name: string, link: string): Promise<void> {
    await this.#put(email, 'Confirm your e-mail address for Holdfast',
      `Hello ${name},\n\nopen this link to confirm your e-mail address. It is good for a day.\n\n${link}\n\nIf you did not ask for it, do nothing.\n`);
  }

  async passwordReset(email: string, name: string, link: string): Promise<void> {
    await this.#put(email, 'Set a new password for Holdfast',
      `Hello ${name},\n\nopen this link to set a new password. It is good for a day, and for one use.\n\n${link}\n\nIf you did not ask for it, do nothing: your password stays as it is.\n`);
  }

  async taken(email: string, publicUrl: string): Promise<void> {
    await this.#put(email, 'You have a Holdfast account already',
      `Hello,\n\nsomebody asked for a new account with this address, but it has one. Sign in at ${publicUrl}, or ask there for a new password.\n\nIf it was not you, do nothing.\n`);
  }

  /** Newest first. */
  async newest(recipient: string, limit: number): Promise<Mail[]> {
    const { database, keys } = this.#context;
    const rows = await database.query.selectFrom('outbox').selectAll().where('recipient', '=', recipient).orderBy('id', 'desc').limit(limit).execute();
    return rows.map(({ body, ...row }) => ({ ...row, text: unseal(keys, purposeOf(row.id), body) }));
  }

  async #put(recipient: string, subject: string, text: string): Promise<void> {
    const { database, keys, clock, random } = this.#context;
    const id = timeOrderedId(clock.now(), random);
    await database.query.insertInto('outbox').values({ id, recipient, subject, body: seal(keys, purposeOf(id), text, random), createdAt: new Date(clock.now()) }).execute();
  }
}

function purposeOf(id: string): string {
  return `outbox ${id}`;
}
