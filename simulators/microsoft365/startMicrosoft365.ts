import { listen } from './server/httpServer.ts';
import type { FaultRule } from './server/faults.ts';
import type { LoggedRequest, RequestLog } from './server/requestLog.ts';
import type { Limits } from './server/throttle.ts';
import { makeApp } from './signIn/apps.ts';
import { World } from './world.ts';
import type { SentMail } from './world.ts';

export interface Microsoft365Options {
  /** The same seed, the same tenant. */
  readonly seed?: string;
  readonly mailboxes?: number;
  /** In each mailbox, of all kinds together. */
  readonly items?: number;
  /** 0: a free one. */
  readonly port?: number;
  /** The clock stands at this time and moves only by `advance`. */
  readonly standsAt?: Date;
  /** What the application is granted; all of backup and restore unless told. */
  readonly permissions?: readonly string[];
  /** False: an administrator has not consented yet. */
  readonly consented?: boolean;
  /** PEM of the application's certificate. */
  readonly certificate?: string;
  readonly redirectUris?: readonly string[];
}

/** A running simulator: where it is, how to sign in, and the strings that tests pull. */
export interface Microsoft365 extends AsyncDisposable {
  readonly graphUrl: string;
  readonly loginUrl: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Addresses of users with a mailbox. */
  readonly mailboxes: readonly string[];
  readonly log: RequestLog;
  /** Adds a fault; returns what takes it back. */
  fault(rule: FaultRule): () => void;
  clearFaults(): void;
  /** Moves the clock on. */
  advance(milliseconds: number): void;
  now(): number;
  limit(limits: Partial<Limits>): void;
  /** All access tokens so far are refused from now on. */
  revokeTokens(): void;
  /** From the next request on, whatever the token says. */
  withdrawPermission(permission: string): void;
  grantPermission(permission: string): void;
  /** Adds an address that consent and sign-in may lead back to. */
  allowRedirect(uri: string): void;
  /** Address of the one Global Administrator. */
  readonly administrator: string;
  /** Delta tokens given out so far are forgotten; of all mailboxes and the directory, or of one mailbox. */
  evictDeltaTokens(address?: string): void;
  deleteUser(address: string): void;
  restoreUser(address: string): void;
  setHold(address: string, onHold: boolean): void;
  /** Takes an item away without a trace, by an id of any kind. */
  vanish(address: string, itemId: string): void;
  /** Mail that went to people because of what was written. */
  sentMails(): readonly SentMail[];
  requests(text?: string): readonly LoggedRequest[];
  close(): Promise<void>;
}

/** Starts a simulated tenant on 127.0.0.1. It takes no longer for a million items than for ten. */
export async function startMicrosoft365(options: Microsoft365Options = {}): Promise<Microsoft365> {
  const { seed = '1', mailboxes = 5, items = 200, port = 0 } = options;
  const world = new World({ seed, mailboxes, itemsPerMailbox: items, standsAt: options.standsAt?.getTime() });
  const clientId = world.newId();
  const clientSecret = Buffer.from(world.newId()).toString('base64url');
  const app = makeApp({
    id: clientId, secret: clientSecret,
    ...(options.permissions === undefined ? {} : { permissions: options.permissions }), ...(options.consented === undefined ? {} : { consented: options.consented }),
    ...(options.certificate === undefined ? {} : { certificate: options.certificate }), ...(options.redirectUris === undefined ? {} : { redirectUris: options.redirectUris }),
  });
  world.apps.set(clientId, app);
  const { origin, close } = await listen(world, port);
  return {
    graphUrl: origin, loginUrl: origin, tenant: world.tenantId, clientId, clientSecret,
    mailboxes: world.directory.users.filter(({ mailbox }) => mailbox !== undefined).map(({ person }) => person.address),
    ...handles(world),
    withdrawPermission: (permission) => app.granted.delete(permission),
    grantPermission: (permission) => {
      app.asked.add(permission);
      app.granted.add(permission);
    },
    allowRedirect: (uri) => app.redirectUris.push(uri),
    administrator: world.directory.users[0]?.person.address ?? '',
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Handles = Omit<Microsoft365, 'graphUrl' | 'loginUrl' | 'tenant' | 'clientId' | 'clientSecret' | 'mailboxes' | 'close' | 'withdrawPermission' | 'grantPermission' | 'allowRedirect' | 'administrator' | typeof Symbol.asyncDispose>;

function handles(world: World): Handles {
  const userOf = (address: string): World['directory']['users'][number] => {
    const user = world.directory.users.find(({ person }) => person.address === address);
    if (user === undefined) throw new Error(`nobody has the address ${address}`);
    return user;
  };
  const mailboxOf = (address: string): NonNullable<ReturnType<World['mailbox']>> => {
    const mailbox = world.mailbox(userOf(address).id);
    if (mailbox === undefined) throw new Error(`${address} has no mailbox`);
    return mailbox;
  };
  return {
    log: world.log,
    sentMails: () => world.sent,
    requests: (text) => (text === undefined ? world.log.all() : world.log.matching(text)),
    fault: (rule) => world.faults.add(rule),
    clearFaults: () => world.faults.clear(),
    advance: (milliseconds) => world.clock.advance(milliseconds),
    now: () => world.clock.now(),
    limit: (limits) => {
      world.throttle.limits = { ...world.throttle.limits, ...limits };
    },
    revokeTokens: () => world.tokens.revokeAll(),
    evictDeltaTokens: (address) => {
      if (address !== undefined) {
        mailboxOf(address).tokens.evictAll();
        return;
      }
      world.directory.tokens.evictAll();
      for (const { id, mailbox } of world.directory.users) if (mailbox !== undefined) world.mailbox(id)?.tokens.evictAll();
    },
    deleteUser: (address) => world.directory.deleteObject(userOf(address)),
    restoreUser: (address) => world.directory.restoreObject(userOf(address)),
    setHold: (address, onHold) => {
      mailboxOf(address).onHold = onHold;
    },
    vanish: (address, itemId) => {
      const mailbox = mailboxOf(address);
      const target = mailbox.ids.read(itemId);
      if (target?.kind !== 'item') throw new Error(`${itemId} is no item of ${address}`);
      mailbox.drop(target.key);
    },
  };
}
