import { readFile } from 'node:fs/promises';
import { checkMasterKey, deriveServiceKeys, Outbox, SignIn, type AccountsContext, type Location } from '../accounts/index.ts';
import { ActivityFeed, Metrics, RateLimit, serveApi } from '../api/index.ts';
import { taskServices } from '../connectors/index.ts';
import { openDatabase, type Database } from '../database/index.ts';
import { HoldfastError, messageOf } from '../domain/index.ts';
import { addressGuard, systemRandom, type Clock, type Logger, type Settings } from '../runtime/index.ts';
import type { MailTransport } from '../mail/index.ts';
import type { TasksContext } from '../tasks/index.ts';
import { workInBackground } from './backgroundWork.ts';
import { HttpServer } from './httpServer.ts';
import { readLocations } from './locations.ts';
import { openMailTransport, readSupportAddress } from './mailSetting.ts';
import { openMasterKey } from './masterKey.ts';
import { Readiness } from './readiness.ts';

/** New accounts from one address in a window of time. */
const NEWCOMERS = 10;
const NEWCOMERS_MS = 10 * 60_000;
/** Of a user who is signed in, in a window of time. */
const PASSWORD_TRIES = 10;
const PASSWORD_TRIES_MS = 60_000;

/** Of one account in a window of time. */
const TICKETS = 20;
const TICKETS_MS = 60 * 60_000;
/** Tries to sign in as one user, wherever they come from; by address the sign-in library counts. */
const SIGN_INS = 30;
const SIGN_INS_MS = 10 * 60_000;

/** What a process does. */
export type ServiceRole = 'web' | 'worker' | 'scheduler';

/** How a process of the service runs. */
export interface ServiceOptions {
  readonly roles: ReadonlySet<ServiceRole>;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the service, in order. */
  readonly signal: AbortSignal;
  /** Told once the service takes requests. */
  readonly onReady?: (ready: { readonly url: string; readonly port: number }) => void;
}

/** Runs the service until `signal` is aborted or the database is lost. Errors: what keeps it from starting, `database/lost`. */
export async function runService(options: ServiceOptions): Promise<void> {
  const { settings, log, roles, host, clock } = options;
  const lost = new AbortController();
  const ending = AbortSignal.any([options.signal, lost.signal]);
  // Wrong settings show before anything is opened.
  const services = taskServices(settings.service.providers, addressGuard(settings.service.openNetworks));
  const locations = readLocations(settings.service.locations, settings.service.data);
  const masterKey = await openMasterKey(settings.service, systemRandom);
  if (masterKey.made) log.warn('master key made', { file: masterKey.file, message: 'Keep a copy of this file elsewhere: without it the service cannot read its own secrets.' });
  if (masterKey.warning !== undefined) log.warn('master key', { message: masterKey.warning });
  const server = new HttpServer(log);
  // Before the database: whoever watches the process hears of it at once.
  const port = roles.has('web') ? await server.listen(host, options.port) : 0;
  try {
    const publicUrl = publicUrlOf(settings.service.publicUrl, port);
    const metricsToken = await tokenOf(settings.service.metricsTokenFile);
    const transport = openMailTransport(settings.service, publicUrl);
    readSupportAddress(settings.service);
    if (transport === undefined) log.warn('no mail server', { message: 'SMTP_URL is not set: mail waits in an outbox, which everybody on this machine can read at /api/v1/outbox.' });
    const database = await openServiceDatabase(options, ending, (error) => lost.abort(error));
    try {
      const accounts: AccountsContext = { database, keys: deriveServiceKeys(masterKey.key), locations, clock, random: systemRandom };
      await checkMasterKey(accounts);
      await work(options, { ...accounts, services, publicUrl }, server, { port, publicUrl, metricsToken, transport, outbox: new Outbox(accounts) }, ending);
    } finally {
      await database.close();
      log.info('stopped');
    }
  } finally {
    if (server.listening) await server.close();
  }
  if (lost.signal.aborted) throw lost.signal.reason;
}

async function openServiceDatabase({ settings, log }: ServiceOptions, signal: AbortSignal, onLost: (error: HoldfastError) => void): Promise<Database> {
  const { databaseUrl, data } = settings.service;
  const database = await openDatabase({
    url: databaseUrl, dataDirectory: data, signal, onLost,
    onNotice: ({ code, message }) => log.info('database', { code, message }),
    onIdleError: (error) => log.warn('database connection', { message: error.message }),
  });
  log.info('database open', { origin: database.origin, name: database.name });
  return database;
}

interface Web {
  readonly port: number;
  readonly publicUrl: string;
  readonly metricsToken: string | undefined;
  readonly transport: MailTransport | undefined;
  readonly outbox: Outbox;
}

/** Whatever of it ends first with an error ends the rest. */
async function work(options: ServiceOptions, tasks: TasksContext, server: HttpServer, web: Web, ending: AbortSignal): Promise<void> {
  const { roles, log } = options;
  const failed = new AbortController();
  const stop = AbortSignal.any([ending, failed.signal]);
  const parts = [
    roles.has('web') ? serveWeb(options, tasks, server, web, stop) : untilAborted(stop),
    workInBackground({ roles, accounts: tasks, tasks, outbox: web.outbox, transport: web.transport, log }, stop),
  ];
  for (const part of parts) part.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(parts);
  await Promise.all(parts);
}

async function serveWeb(options: ServiceOptions, tasks: TasksContext, server: HttpServer, web: Web, ending: AbortSignal): Promise<void> {
  const { settings, log, clock } = options;
  const { database, locations } = tasks;
  const { port, publicUrl, metricsToken, transport, outbox } = web;
  const feed = await ActivityFeed.open(database, log);
  try {
    const readiness = new Readiness({ database, locations, settings, clock, log });
    const metrics = new Metrics({
      streams: () => feed.readers, connections: () => ({ total: database.pool.totalCount, waiting: database.pool.waitingCount }),
    });
    server.begin(serveApi({
      accounts: tasks, tasks, feed, metrics, log, publicUrl, stopping: ending, signIn: new SignIn(tasks, publicUrl, outbox), outbox, sendsMail: transport !== undefined,
      newcomers: new RateLimit(clock, NEWCOMERS, NEWCOMERS_MS), signIns: new RateLimit(clock, SIGN_INS, SIGN_INS_MS),
      tickets: new RateLimit(clock, TICKETS, TICKETS_MS), support: { outbox, address: readSupportAddress(settings.service) }, passwordTries: new RateLimit(clock, PASSWORD_TRIES, PASSWORD_TRIES_MS), metricsToken,
      notReady: async (signal) => (ending.aborted ? ['the service is ending'] : readiness.notReady(signal)),
    }, new Set(settings.service.proxies)), publicUrl);
    log.info('ready', { url: publicUrl, port, locations: locations.map(({ id }: Location) => id).join(' ') });
    options.onReady?.({ url: publicUrl, port });
    await untilAborted(ending);
    log.info('stopping');
    await server.close();
  } finally {
    await feed.close();
  }
}

function publicUrlOf(setting: string | undefined, port: number): string {
  if (setting === undefined) return `http://127.0.0.1:${port}`;
  const url = URL.parse(setting);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.pathname === '/' && url.search === '' && url.username === '') return url.origin;
  throw new HoldfastError('server/bad-url', 'input', 'HOLDFAST_URL is no address that people can open. It looks like https://backup.example.com, without a path.');
}

async function tokenOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (token.length >= 16) return token;
  } catch (cause) {
    throw new HoldfastError('server/metrics-token', 'input', `The token of HOLDFAST_METRICS_TOKEN_FILE cannot be read (${messageOf(cause)}).`, { cause });
  }
  throw new HoldfastError('server/metrics-token', 'input', 'The token in the file of HOLDFAST_METRICS_TOKEN_FILE is too short; take 16 characters or more.');
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
