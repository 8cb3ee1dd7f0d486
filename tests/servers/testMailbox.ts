import type { Dovecot } from './dovecot.ts';
import { RawImap } from './rawImap.ts';

export interface SaveOptions {
  /** '\\Seen $Label1' */
  readonly flags?: string;
  /** '17-Jul-1996 02:44:25 -0700' */
  readonly date?: string;
}

/** One user's mailbox, filled and changed without our own client. Folder names as they go over the wire. */
export class TestMailbox {
  readonly user: string;
  readonly #server: Dovecot;
  readonly #client: RawImap;
  #serial = 0;

  private constructor(server: Dovecot, user: string, client: RawImap) {
    this.#server = server;
    this.user = user;
    this.#client = client;
  }

  static async open(server: Dovecot, user: string, password = 'pw'): Promise<TestMailbox> {
    return new TestMailbox(server, user, await RawImap.open(server.port, user, password));
  }

  async send(command: string, literal?: Buffer): Promise<string> {
    return await this.#client.send(command, literal);
  }

  async doveadm(command: string, ...args: string[]): Promise<string> {
    const [first = '', ...rest] = command.split(' ');
    return (await this.#server.doveadm([first, ...rest, '-u', this.user, ...args])).toString();
  }

  async create(...folders: string[]): Promise<void> {
    for (const folder of folders) await this.send(`CREATE "${folder}"`);
  }

  /** Appends a mail; makes one up unless it is given. */
  async save(folder: string, mail?: Buffer, options: SaveOptions = {}): Promise<void> {
    const number = ++this.#serial;
    const bytes = mail ?? Buffer.from(`From: Ann <ann@example.test>\r\nTo: bob@example.test\r\nSubject: Mail ${number}\r\n`
      + `Date: Tue, 02 Jan 2024 03:04:05 +0100\r\nMessage-ID: <m${number}@example.test>\r\n\r\nBody ${number}\r\n`);
    const date = options.date === undefined ? '' : ` "${options.date}"`;
    await this.send(`APPEND "${folder}" (${options.flags ?? ''})${date}`, bytes);
  }

  async saveMany(folder: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.save(folder);
  }

  async addFlags(folder: string, uids: string, flags: string): Promise<void> {
    await this.send(`SELECT "${folder}"`);
    await this.send(`UID STORE ${uids} +FLAGS (${flags})`);
  }

  async expunge(folder: string, uids: string): Promise<void> {
    await this.addFlags(folder, uids, '\\Deleted');
    await this.send('EXPUNGE');
  }

  close(): void {
    this.#client.close();
  }
}
