import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { deriveServiceKeys, Outbox, type AccountsContext } from '../../src/accounts/index.ts';
import { openDatabase, type Database } from '../../src/database/index.ts';
import type { Permission } from '../../src/domain/index.ts';
import { jsonLogger, readSettings, systemClock, systemRandom, type Settings } from '../../src/runtime/index.ts';
import { readMasterKey, runService, type ServiceRole } from '../../src/server/index.ts';
import { startPostgres, type PostgresServer } from '../servers/postgres.ts';
import { copyReadyDatabase, databasesRoot } from '../servers/readyDatabase.ts';
import { Person } from './person.ts';

export type DatabaseOrigin = 'embedded' | 'url';

/** Which database a test runs on that would run on either: HOLDFAST_TEST_DATABASE has all of them run on one. */
export function testOrigin(fallback: DatabaseOrigin): DatabaseOrigin {
  const origin = process.env['HOLDFAST_TEST_DATABASE'];
  return origin === 'embedded' || origin === 'url' ? origin : fallback;
}

export interface TestServiceOptions {
  /** 'url': a PostgreSQL server of the system, in place of the embedded one. Else as {@link testOrigin} says. */
  readonly origin?: DatabaseOrigin;
  readonly environment?: Readonly<Record<string, string>>;
  readonly roles?: readonly ServiceRole[];
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string; readonly level: string };

/** The whole service in this process, on a database of its own, and a second look at that database for what no route shows. */
export class TestService implements AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly settings: Settings;
  /** Raw lines of the log. */
  readonly lines: string[];
  readonly database: Database;
  readonly outbox: Outbox;
  /** As the service has it. */
  readonly context: AccountsContext;
  readonly #stop: () => Promise<void>;

  private constructor(parts: Pick<TestService, 'folder' | 'url' | 'settings' | 'lines' | 'database' | 'context'>, stop: () => Promise<void>) {
    this.folder = parts.folder;
    this.url = parts.url;
    this.settings = parts.settings;
    this.lines = parts.lines;
    this.database = parts.database;
    this.context = parts.context;
    this.outbox = new Outbox(parts.context);
    this.#stop = stop;
  }

  static async start({ origin = testOrigin('embedded'), environment = {}, roles = ['web'] }: TestServiceOptions = {}): Promise<TestService> {
    const folder = await mkdtemp(join(databasesRoot(), 'holdfast-service-'));
    await chmod(folder, 0o711);
    const server = origin === 'url' ? await startPostgres() : undefined;
    const ending = new AbortController();
    let running: Promise<void> | undefined;
    let database: Database | undefined;
    const stop = (): Promise<void> => ended(ending, folder, { running, database, server });
    try {
      if (server === undefined) await copyReadyDatabase(join(folder, 'data'));
      const settings = readSettings({
        // Each person of a test has an address of its own, since sign-in is limited by address.
        HOLDFAST_DATA: join(folder, 'data'), HOLDFAST_PROXIES: '127.0.0.1', ...(server && { DATABASE_URL: await server.createDatabase('service') }), ...environment,
      });
      const lines: string[] = [];
      const { promise: ready, resolve } = Promise.withResolvers<{ url: string; port: number }>();
      running = runService({
        roles: new Set(roles), host: '127.0.0.1', port: 0, settings, clock: systemClock, log: jsonLogger((line) => lines.push(line), systemClock),
        signal: ending.signal, onReady: resolve,
      });
      const { port } = await Promise.race([ready, running.then(() => { throw new Error('the service ended'); })]);
      database = await openDatabase({ url: settings.service.databaseUrl, dataDirectory: settings.service.data, signal: ending.signal });
      return new TestService({ folder, url: `http://127.0.0.1:${port}`, settings, lines, database, context: contextOf(settings, database) }, stop);
    } catch (error) {
      await stop().catch(() => undefined);
      throw error;
    }
  }

  get log(): LogLine[] {
    return this.lines.map((line) => JSON.parse(line) as LogLine);
  }

  /** Nobody yet: an address to call from. */
  person(): Person {
    return new Person(this);
  }

  /** Signs up, follows the mailed link and signs in. */
  async owner(company = `Company ${nonce()}`): Promise<Person> {
    const person = this.person();
    const email = `${nonce()}@example.test`;
    await person.must(202, 'POST', '/api/v1/accounts', { name: 'Olive Owner', company, email, password: PASSWORD, location: 'local' });
    await this.confirm(person, email);
    await person.signIn(email, PASSWORD);
    return person;
  }

  /** A user in the owner's account, confirmed and signed in. */
  async user(owner: Person, rights: { role: 'administrator' | 'custom'; permissions?: readonly Permission[]; services?: readonly string[] }): Promise<Person> {
    const person = this.person();
    const email = `${nonce()}@example.test`;
    await owner.must(201, 'POST', '/api/v1/users', { name: 'Una User', email, password: PASSWORD, ...rights });
    await this.confirm(person, email);
    await person.signIn(email, PASSWORD);
    return person;
  }

  /** The newest mail's link. */
  async mailedLink(email: string): Promise<string> {
    const [mail] = await this.outbox.newest(email, 1);
    const link = /^https?:\S+$/m.exec(mail?.text ?? '')?.[0];
    if (link === undefined) throw new Error(`no mail with a link for ${email}`);
    return link;
  }

  async confirm(person: Person, email: string): Promise<void> {
    const link = new URL(await this.mailedLink(email));
    const { location } = await person.must(303, 'GET', link.pathname + link.search);
    if (location !== `${this.url}/?activation=done`) throw new Error(`the link led to ${location}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

export const PASSWORD = 'correct horse battery';

export function nonce(): string {
  return randomBytes(6).toString('hex');
}

function contextOf(settings: Settings, database: Database): AccountsContext {
  return { database, keys: deriveServiceKeys(readMasterKey(settings.service)), locations: [], clock: systemClock, random: systemRandom };
}

interface Running {
  readonly running: Promise<void> | undefined;
  readonly database: Database | undefined;
  readonly server: PostgresServer | undefined;
}

async function ended(ending: AbortController, folder: string, { running, database, server }: Running): Promise<void> {
  try {
    await database?.close();
    ending.abort();
    await running;
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
