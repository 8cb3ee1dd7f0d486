import { isIP } from 'node:net';
import { ImapFlow } from 'imapflow';
import type { HoldfastError } from '../../domain/index.ts';
import { imapError } from './imapErrors.ts';
import { portOf, type ImapSettings } from './imapSettings.ts';

/** A parsed token of a response; lists are arrays, NIL is null. */
export type Token = {
  readonly type: string;
  readonly value: string | Buffer;
  readonly section?: readonly Node[];
  readonly partial?: readonly number[];
};
export type Node = Token | null | readonly Node[];

export interface Response {
  readonly tag: string;
  readonly command: string;
  readonly attributes?: readonly Node[];
  /** The numbers of an untagged SEARCH. */
  readonly numbers?: readonly number[];
}

interface Namespace {
  readonly prefix: string;
  readonly delimiter: string | null;
}

export type Argument = { type: string; value: string | Buffer; isLiteral8?: boolean } | string | Argument[];

/** Called for each untagged response of that name while the command runs; the connection is not read on until it settles. */
export type Handlers = Readonly<Record<string, (response: Response) => Promise<void> | void>>;

/**
 * imapflow's own commands lose what a backup needs (dates with their zone, VANISHED of one command, raw flags), so
 * connecting, TLS, login, framing and parsing are used and commands are sent by its `exec`, which its types do not
 * show. `next` must be called once the response was looked at.
 */
interface RawClient {
  exec(command: string, args: readonly Argument[], options: {
    untagged: Record<string, (response: Response) => Promise<void>>;
  }): Promise<{ response: Response; next(): void }>;
  readonly capabilities: ReadonlyMap<string, unknown>;
  readonly namespaces?: { readonly personal?: readonly Namespace[] };
}

/** Silence on a connection that owes an answer. */
const SILENCE_LIMIT_MS = 120_000;
const CONNECT_LIMIT_MS = 30_000;
/** Larger bodies are asked for in pieces; this only stops a server that announces nonsense. */
const MAX_LITERAL = 64 << 20;

export const atom = (value: string): Argument => ({ type: 'ATOM', value });
export const quoted = (value: string): Argument => ({ type: 'STRING', value });
/** Sequence sets are checked by the library before they are sent. */
export const sequence = (value: string): Argument => ({ type: 'SEQUENCE', value });

function createClient(settings: ImapSettings, secret: { pass: string } | { accessToken: string }): ImapFlow {
  const tls = settings.tls ?? 'on';
  return new ImapFlow({
    host: settings.address ?? settings.host, port: portOf(settings),
    ...(settings.address === undefined || isIP(settings.host) !== 0 ? {} : { servername: settings.host }),
    secure: tls === 'on',
    ...(tls === 'on' ? {} : { doSTARTTLS: tls === 'starttls' }),
    auth: { user: settings.user, ...secret },
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(settings.ca === undefined ? {} : { ca: settings.ca }) },
    logger: false, clientInfo: { name: 'Holdfast', vendor: 'Holdfast', version: '1', 'support-url': '' },
    disableAutoIdle: true, disableAutoEnable: true, disableCompression: true, disableIMAP4rev2: true,
    connectionTimeout: CONNECT_LIMIT_MS, greetingTimeout: CONNECT_LIMIT_MS, socketTimeout: SILENCE_LIMIT_MS,
    maxLiteralSize: MAX_LITERAL,
  });
}

/** One logged-in connection. Commands run one after another; the mailbox that is open is noted in `selected`. */
export class ImapConnection {
  /** The open mailbox as the server spells it, and whether it may be changed. */
  selected: { readonly path: string; readonly uidValidity: number; readonly writable: boolean } | undefined;
  readonly where: string;
  readonly capabilities: ReadonlySet<string>;
  readonly namespace: Namespace;
  readonly #client: ImapFlow;
  readonly #raw: RawClient;
  #lost: HoldfastError | undefined;

  private constructor(client: ImapFlow, where: string) {
    this.#client = client;
    this.#raw = client as unknown as RawClient;
    this.where = where;
    this.capabilities = new Set([...this.#raw.capabilities.keys()].map((name) => name.toUpperCase()));
    this.namespace = this.#raw.namespaces?.personal?.[0] ?? { prefix: '', delimiter: null };
    client.on('error', (error: unknown) => this.#lose(error));
    client.on('close', () => this.#lose(new Error('connection closed')));
  }

  /** Rejects with an error of {@link imapError}, or the signal's reason. */
  static async open(settings: ImapSettings, signal: AbortSignal): Promise<ImapConnection> {
    signal.throwIfAborted();
    const secret = settings.token === undefined ? { pass: settings.password ?? '' }
      : { accessToken: typeof settings.token === 'string' ? settings.token : await settings.token() };
    const client = createClient(settings, secret);
    const where = `${settings.host}:${portOf(settings)}`;
    const abort = (): void => client.close();
    signal.addEventListener('abort', abort, { once: true });
    client.once('error', () => undefined);
    try {
      await client.connect();
      const connection = new ImapConnection(client, where);
      await connection.#enable(signal);
      return connection;
    } catch (error) {
      client.close();
      signal.throwIfAborted();
      throw imapError(error, where, true);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get alive(): boolean {
    return this.#lost === undefined;
  }

  can(capability: string): boolean {
    return this.capabilities.has(capability);
  }

  /** QRESYNC (RFC 7162) must be enabled before it may be used; it brings CONDSTORE. */
  async #enable(signal: AbortSignal): Promise<void> {
    if (this.can('ENABLE') && this.can('QRESYNC')) await this.command('ENABLE', [atom('QRESYNC')], {}, signal);
  }

  /**
   * Runs one command and gives its tagged response. Rejects with an error of {@link imapError}: 'imap/refused' when the
   * server says NO or BAD; with what a handler threw, once the command is over. Aborting the signal closes the connection.
   */
  async command(name: string, args: readonly Argument[], handlers: Handlers, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    let failure: { readonly error: unknown } | undefined;
    const untagged: Record<string, (response: Response) => Promise<void>> = {};
    for (const [response, handler] of Object.entries(handlers)) {
      // imapflow logs and forgets what a handler throws.
      untagged[response] = async (parsed) => {
        if (failure !== undefined) return;
        try {
          await handler(parsed);
        } catch (error) {
          failure = { error };
        }
      };
    }
    const abort = (): void => this.close();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const { response, next } = await this.#raw.exec(name, args, { untagged });
      next();
      if (failure !== undefined) throw failure.error;
      return response;
    } catch (error) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      throw imapError(error, this.where);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #lose(error: unknown): void {
    this.#lost ??= imapError(error, this.where);
  }

  /** Says goodbye; never throws, and waits at most two seconds. */
  async logout(): Promise<void> {
    if (!this.alive) return;
    const timer = setTimeout(() => this.close(), 2000);
    await this.#client.logout().catch(() => undefined);
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    this.#lose(new Error('connection closed'));
    this.#client.close();
  }
}
