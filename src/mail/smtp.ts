import { createTransport } from 'nodemailer';
import { HoldfastError } from '../domain/index.ts';
import type { MailTransport, OutgoingMail } from './mailTransport.ts';

const CONNECT_MS = 15_000;
/** Without a byte from the other side. */
const SILENT_MS = 60_000;
const SMTP_PORT = 25;
const SMTPS_PORT = 465;

/** Where mail goes, as the address of the settings says. `password` is never in a message. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** 'on': from the start; 'starttls': before anything else is said, or not at all; 'optional': if the server offers it. */
  readonly tls: 'on' | 'starttls' | 'optional';
  /** On this very machine: nobody is in between, and its certificate is of no use. */
  readonly local: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/**
 * Reads `smtps://user:password@host:465` (TLS from the start), `smtp://…` (STARTTLS) or `smtp://…?tls=optional`. On this very machine TLS is optional
 * anyway. A password never goes out in clear text. Errors: `mail/bad-url`, without citing the address.
 */
export function parseSmtpUrl(text: string): SmtpSettings {
  const url = URL.parse(text);
  if (url === null || !isSmtp(url)) throw badUrl();
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const implicit = url.protocol === 'smtps:';
  const optional = local || url.searchParams.has('tls');
  const password = decoded(url.password);
  if (optional && !implicit && !local && password !== undefined) throw badUrl();
  const port = url.port === '' ? (implicit ? SMTPS_PORT : SMTP_PORT) : Number(url.port);
  return { host, port, tls: implicit ? 'on' : optional ? 'optional' : 'starttls', local, user: decoded(url.username), password };
}

function isSmtp({ protocol, hostname, pathname, search }: URL): boolean {
  return (protocol === 'smtp:' || protocol === 'smtps:') && hostname !== '' && /^\/?$/.test(pathname) && (search === '' || search === '?tls=optional');
}

/** undefined where there is nothing. */
function decoded(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // The reason may cite the password.
    throw badUrl();
  }
}

/** Hands mails to an SMTP server; `from` is an address, with a name or without one. */
export function openSmtp({ host, port, tls, local, user, password }: SmtpSettings, from: string): MailTransport {
  const transport = createTransport({
    host, port, secure: tls === 'on', requireTLS: tls === 'starttls', ...(local && { tls: { rejectUnauthorized: false } }),
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: CONNECT_MS, greetingTimeout: CONNECT_MS, dnsTimeout: CONNECT_MS, socketTimeout: SILENT_MS,
    disableFileAccess: true, disableUrlAccess: true,
  });
  return {
    async send(mail) {
      try {
        await transport.sendMail(messageOf(mail, from));
      } catch (error) {
        throw notSent(error);
      }
    },
    close: () => transport.close(),
  };
}

/** Auto-Submitted keeps programs that answer mails from answering this one (RFC 3834). */
function messageOf({ id, recipient, subject, text, html, date }: OutgoingMail, from: string): object {
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';
  return {
    from, to: { name: '', address: recipient }, subject, text, html, date, messageId: `<${id}@${domain}>`, headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

/**
 * What the server said names people; its number alone is told. 5xx is for good (RFC 5321), but for what is about us instead of the mail: a password
 * or a relay that an operator mends.
 */
function notSent(error: unknown): HoldfastError {
  const { code, responseCode, command } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; responseCode?: unknown; command?: unknown };
  const status = typeof responseCode === 'number' ? responseCode : undefined;
  const data = { code: typeof code === 'string' ? code : 'unknown', ...(status !== undefined && { status }), ...(typeof command === 'string' && { command }) };
  const said = status === undefined ? data.code : String(status);
  if (data.code === 'EENVELOPE' && status !== undefined && status >= 500 && status !== 530) {
    return new HoldfastError('mail/refused', 'input', `The mail server does not take mail for this address (${said}).`, { data });
  }
  if (data.code === 'EMESSAGE' && status !== undefined && status >= 500) return new HoldfastError('mail/refused', 'input', `The mail server does not take this mail (${said}).`, { data });
  return new HoldfastError('mail/not-sent', 'retry', `The mail server could not be used (${said}). Check SMTP_URL and that the server runs.`, { data });
}

function badUrl(): HoldfastError {
  return new HoldfastError('mail/bad-url', 'input',
    'SMTP_URL is no address of a mail server. It looks like smtps://user:password@mail.example.com or smtp://mail.example.com:587; ?tls=optional is only for a server without a password.');
}
