import { HoldfastError } from '../../domain/index.ts';
import { sleep, systemClock, systemRandom, type Clock, type RandomBytes, type Sleep } from '../../runtime/index.ts';
import type { Attempts, BudgetLimits, HttpLimits, RestClientOptions } from '../../rest/index.ts';

/** Hosts of Microsoft's clouds: where one signs in, and where Graph is. */
export const CLOUDS = {
  global: { loginUrl: 'https://login.microsoftonline.com', graphUrl: 'https://graph.microsoft.com' },
  'us-gov-high': { loginUrl: 'https://login.microsoftonline.us', graphUrl: 'https://graph.microsoft.us' },
  'us-gov-dod': { loginUrl: 'https://login.microsoftonline.us', graphUrl: 'https://dod-graph.microsoft.us' },
  china: { loginUrl: 'https://login.chinacloudapi.cn', graphUrl: 'https://microsoftgraph.chinacloudapi.cn' },
} as const;

export type Cloud = keyof typeof CLOUDS;

/** How to reach one tenant, as an application that its administrator has consented to. */
export interface Microsoft365Settings {
  /** Id or a domain of the tenant. */
  readonly tenant: string;
  /** Application (client) id. */
  readonly clientId: string;
  /** One of `clientSecret` and `certificate` is needed. */
  readonly clientSecret?: string;
  /** PEM with the private key (RSA, not encrypted) and the certificate that is registered for the application. */
  readonly certificate?: string;
  /** Default: global. */
  readonly cloud?: Cloud;
  /** In place of the cloud's hosts; without a version or a slash at the end. */
  readonly graphUrl?: string;
  readonly loginUrl?: string;
}

/** What a program may set besides, tests above all. */
export interface Microsoft365Runtime {
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: RandomBytes;
  readonly attempts?: Attempts;
  readonly limits?: Partial<HttpLimits>;
  /** Entries of a page of a delta query; 250 unless told. */
  readonly pageSize?: number;
  readonly onExchange?: RestClientOptions['onExchange'];
  /** What the service permits this application on each mailbox; what is documented unless told. */
  readonly mailboxLimits?: BudgetLimits;
}

export const SYSTEM_RUNTIME: Microsoft365Runtime = { clock: systemClock, sleep, random: systemRandom };

export interface Hosts {
  readonly graphUrl: string;
  readonly loginUrl: string;
}

/** Throws HoldfastError 'microsoft365/settings' (class input) for what can not work. */
export function checkSettings(settings: Microsoft365Settings): Hosts {
  const { tenant, clientId, clientSecret = '', certificate = '', cloud = 'global' } = settings;
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(tenant)) throw wrong('Give the tenant: its id, or one of its domains, like contoso.onmicrosoft.com.');
  if (['common', 'organizations', 'consumers'].includes(tenant.toLowerCase())) throw wrong('Give the tenant by its id or one of its domains: an application signs in to one tenant.');
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(clientId)) throw wrong('Give the application (client) id as the portal shows it: 8-4-4-4-12 hexadecimal digits.');
  if ((clientSecret === '') === (certificate === '')) throw wrong('Give either a client secret or a certificate.');
  const hosts = CLOUDS[cloud];
  return { graphUrl: checkUrl(settings.graphUrl ?? hosts.graphUrl), loginUrl: checkUrl(settings.loginUrl ?? hosts.loginUrl) };
}

/** Secrets and tokens travel over TLS, or not beyond this machine. */
function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw wrong(`"${text}" is no address. Give one like https://graph.microsoft.com.`);
  if (url.protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) throw wrong(`The address of ${url.host} must begin with https://: secrets go there.`);
  if (url.username !== '' || url.search !== '' || url.hash !== '') throw wrong(`Give the address of ${url.host} without user, query and fragment.`);
  return url.href.replace(/\/+$/, '');
}

function wrong(message: string): HoldfastError {
  return new HoldfastError('microsoft365/settings', 'input', message);
}
