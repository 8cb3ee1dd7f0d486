import { Directory } from './directory/directory.ts';
import { makeMailbox } from './mailbox/makeMailbox.ts';
import type { Mailbox } from './mailbox/mailbox.ts';
import { parseStoredQuery } from './odata/query.ts';
import type { ODataQuery } from './odata/query.ts';
import { TokenSeal } from './odata/tokenSeal.ts';
import { Dice } from './seed/dice.ts';
import { MovableClock } from './server/clock.ts';
import { Faults } from './server/faults.ts';
import { RequestLog } from './server/requestLog.ts';
import { Throttle } from './server/throttle.ts';
import type { App } from './signIn/apps.ts';
import type { SignInCode } from './signIn/codeSignIn.ts';
import { Tokens } from './signIn/tokens.ts';
import type { ImportSession } from './transfer/importSession.ts';
import type { UploadSession } from './mail/uploadSession.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly mailboxes: number;
  readonly itemsPerMailbox: number;
  /** The clock stands at this moment and moves only when told; undefined: it runs. */
  readonly standsAt?: number | undefined;
}

/** A mail that the service sends to people because of what was written. */
export interface SentMail {
  readonly kind: 'invitation' | 'update' | 'cancellation';
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
}

/** All state of one simulated tenant. */
export class World {
  readonly clock: MovableClock;
  readonly tenantId: string;
  readonly domain = 'contoso.example';
  readonly directory: Directory;
  readonly apps = new Map<string, App>();
  readonly tokens: Tokens;
  readonly usedAssertions = new Map<string, number>();
  readonly codes = new Map<string, SignInCode>();
  readonly seal: TokenSeal;
  readonly log = new RequestLog();
  readonly faults = new Faults();
  readonly throttle: Throttle;
  readonly uploads = new Map<string, UploadSession>();
  readonly imports = new Map<string, ImportSession>();
  /** Mails that went out: the service sends them whether the caller wants it or not (fact 63). */
  readonly sent: SentMail[] = [];
  readonly options: WorldOptions;
  /** Scheme, host and port; known once the server listens. */
  origin = '';
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #ids: Dice;

  constructor(options: WorldOptions) {
    this.options = options;
    this.clock = new MovableClock(options.standsAt);
    this.tenantId = new Dice(options.seed, 'tenant').uuid();
    this.directory = new Directory(options.seed, this.domain, options.mailboxes, this.clock);
    this.tokens = new Tokens(`${options.seed} tokens`, this.clock, this.tenantId);
    this.seal = new TokenSeal(`${options.seed} seal`);
    this.throttle = new Throttle(this.clock);
    this.#ids = new Dice(options.seed, 'ids');
  }

  /** The mailbox of a user, made when first asked for; undefined where there is none, or the user is deleted. */
  mailbox(userId: string): Mailbox | undefined {
    const user = this.directory.user(userId);
    if (user?.mailbox === undefined) return undefined;
    let mailbox = this.#mailboxes.get(user.id);
    if (mailbox === undefined) {
      const owner = { seed: this.options.seed, index: user.mailbox, person: user.person, domain: this.domain, people: this.options.mailboxes };
      mailbox = makeMailbox(owner, user.id, this.tenantId, this.options.itemsPerMailbox);
      this.#mailboxes.set(user.id, mailbox);
    }
    return mailbox;
  }

  /** By 'MBX:user@tenant'. */
  mailboxOfExportId(id: string): Mailbox | undefined {
    const [, userId = ''] = /^MBX:([^@]+)@/.exec(id) ?? [];
    const mailbox = this.mailbox(userId);
    return mailbox?.exportId === id ? mailbox : undefined;
  }

  /** An id for requests, sessions and the like. */
  newId(): string {
    const hex = Array.from({ length: 4 }, () => this.#ids.int(2 ** 32).toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** The options that a token stands for, read again. */
  parseOptions(options: Iterable<readonly [string, string]>): ODataQuery {
    return parseStoredQuery(options);
  }
}
