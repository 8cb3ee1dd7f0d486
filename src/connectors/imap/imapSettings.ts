import { HoldfastError, type Entity } from '../../domain/index.ts';

/** How to reach one mailbox. */
export interface ImapSettings {
  readonly host: string;
  /** Where to connect in place of looking `host` up; certificates are still those of `host`. */
  readonly address?: string;
  /** Default: 993 for `tls: 'on'`, else 143. */
  readonly port?: number;
  readonly user: string;
  /** One of `password` and `token` is needed. */
  readonly password?: string;
  /** OAuth access token (XOAUTH2 or OAUTHBEARER), or a function that gives a fresh one for each new connection. */
  readonly token?: string | (() => Promise<string>);
  /** 'on' (default): TLS from the start; 'starttls': upgraded before login, or refused; 'off': clear text, only if asked for. */
  readonly tls?: 'on' | 'starttls' | 'off';
  /** Certificates in PEM to trust instead of the system's. */
  readonly ca?: string;
  /** Connections at most, 1..32. Default 4; fewer are used where the server refuses more. */
  readonly connections?: number;
}

export const DEFAULT_CONNECTIONS = 4;

/** Throws HoldfastError 'imap/settings' (class input) for what can not work. */
export function checkSettings(settings: ImapSettings): void {
  const wrong = (message: string): never => {
    throw new HoldfastError('imap/settings', 'input', message);
  };
  if (settings.host === '') wrong('Give the name of the mail server.');
  if (settings.user === '') wrong('Give the user name of the mailbox.');
  const connections = settings.connections ?? DEFAULT_CONNECTIONS;
  if (!Number.isInteger(connections) || connections < 1 || connections > 32) wrong('Use 1 to 32 connections.');
  const given = [settings.password, settings.token].filter((secret) => secret !== undefined && secret !== '');
  if (given.length !== 1) wrong('Give either a password or an access token.');
  const tls: string = settings.tls ?? 'on';
  if (!['on', 'starttls', 'off'].includes(tls)) wrong('TLS is "on", "starttls" or "off".');
}

export function portOf(settings: ImapSettings): number {
  return settings.port ?? ((settings.tls ?? 'on') === 'on' ? 993 : 143);
}

/** One mailbox is one entity, whatever port and protection it is reached by. */
export function entityOf(settings: Pick<ImapSettings, 'host' | 'user'>): Entity {
  const id = `imap:${settings.user}@${settings.host.toLowerCase()}`;
  return { id, service: 'imap', name: `${settings.user} on ${settings.host}` };
}
