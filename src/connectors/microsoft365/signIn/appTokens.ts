import { retry } from '../../../runtime/index.ts';
import { httpExchange, retryAfterMs, truncated, USUAL_ATTEMPTS, type HttpReply, type TokenSource } from '../../../rest/index.ts';
import { HoldfastError } from '../../../domain/index.ts';
import type { Hosts, Microsoft365Runtime, Microsoft365Settings } from '../settings.ts';
import { clientAssertion, readCertificate, type ClientCertificate } from './clientAssertion.ts';
import { signInError } from './signInErrors.ts';

/** A token is renewed when so much of its life is left: what is on its way when it ends would be refused. */
const EARLY_MS = 300_000;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const LIMITS = { headersMs: 60_000, idleMs: 30_000, mostBytes: 1 << 20 };

interface Held {
  readonly token: string;
  readonly until: number;
}

/** Access tokens of an application (client credentials). One is kept until shortly before it expires; all who ask at once share one sign-in. */
export class AppTokens implements TokenSource {
  readonly #settings: Microsoft365Settings;
  readonly #hosts: Hosts;
  readonly #runtime: Microsoft365Runtime;
  readonly #certificate: ClientCertificate | undefined;
  #held: Held | undefined;
  #signingIn: Promise<Held> | undefined;

  /** Throws 'microsoft365/certificate' for one that cannot be used. */
  constructor(settings: Microsoft365Settings, hosts: Hosts, runtime: Microsoft365Runtime) {
    this.#settings = settings;
    this.#hosts = hosts;
    this.#runtime = runtime;
    const { certificate } = settings;
    this.#certificate = certificate === undefined || certificate === '' ? undefined : readCertificate(certificate);
    if (this.#certificate !== undefined && this.#certificate.validUntil < runtime.clock.now()) {
      throw new HoldfastError('microsoft365/certificate', 'input', 'The certificate has expired. Register a new one for the application, and use it here.');
    }
  }

  async token(signal: AbortSignal): Promise<string> {
    while (this.#held === undefined || this.#held.until <= this.#runtime.clock.now()) {
      signal.throwIfAborted();
      const mine = this.#signingIn === undefined;
      this.#signingIn ??= this.#signIn(signal).finally(() => {
        this.#signingIn = undefined;
      });
      try {
        this.#held = await this.#signingIn;
        return this.#held.token;
      } catch (error) {
        // Somebody else's sign-in, which ended because they were stopped, says nothing to this caller.
        if (mine || error instanceof HoldfastError) throw error;
      }
    }
    return this.#held.token;
  }

  refused(token: string): void {
    if (this.#held?.token === token) this.#held = undefined;
  }

  async #signIn(signal: AbortSignal): Promise<Held> {
    const { random, sleep, attempts = USUAL_ATTEMPTS } = this.#runtime;
    return await retry(async () => await this.#ask(signal), { ...attempts, random, sleep, signal, jitter: 'full' });
  }

  async #ask(signal: AbortSignal): Promise<Held> {
    const { tenant } = this.#settings;
    const { clock, limits } = this.#runtime;
    const url = `${this.#hosts.loginUrl}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
    const asked = clock.now();
    const reply = await httpExchange({
      method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }, body: this.#form(url).toString(),
    }, { ...LIMITS, ...limits }, signal);
    if (reply.status !== 200) throw this.#refusal(reply);
    const { access_token: token, expires_in: seconds } = jsonOf(reply) as { access_token?: unknown; expires_in?: unknown };
    if (typeof token !== 'string' || token === '' || typeof seconds !== 'number') throw truncated(new URL(url).host, 'no token in it');
    return { token, until: asked + Math.max(seconds * 500, seconds * 1000 - EARLY_MS) };
  }

  #form(url: string): URLSearchParams {
    const { clientId, clientSecret = '' } = this.#settings;
    const { clock, random } = this.#runtime;
    const form = new URLSearchParams({ client_id: clientId, scope: `${this.#hosts.graphUrl}/.default`, grant_type: 'client_credentials' });
    if (this.#certificate === undefined) form.set('client_secret', clientSecret);
    else {
      form.set('client_assertion_type', ASSERTION_TYPE);
      form.set('client_assertion', clientAssertion(this.#certificate, clientId, url, clock.now(), random(16).toString('hex')));
    }
    return form;
  }

  #refusal(reply: HttpReply): HoldfastError {
    const error = signInError(reply.status, jsonOf(reply), this.#settings.tenant);
    const asked = retryAfterMs(reply.headers.get('retry-after'), this.#runtime.clock.now());
    if (error.retryClass !== 'retry' || asked === undefined) return error;
    return new HoldfastError(error.code, 'retry', error.message, { data: { ...error.data, retryAfterMs: Math.min(asked, 600_000) } });
  }
}

/** An empty object where the body is no JSON: the status says enough. */
function jsonOf({ bytes }: HttpReply): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return {};
  }
}
