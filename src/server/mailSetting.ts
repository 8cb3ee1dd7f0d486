import { HoldfastError } from '../domain/index.ts';
import { openSmtp, parseSmtpUrl, type MailTransport } from '../mail/index.ts';
import type { ServiceSettings } from '../runtime/index.ts';

/** The mail server of the settings; undefined: there is none. Errors: `mail/bad-url`, `server/bad-mail-from`. */
export function openMailTransport({ smtpUrl, mailFrom }: ServiceSettings, publicUrl: string): MailTransport | undefined {
  if (smtpUrl === undefined) return undefined;
  return openSmtp(parseSmtpUrl(smtpUrl), senderOf(mailFrom, publicUrl));
}

function senderOf(mailFrom: string | undefined, publicUrl: string): string {
  if (mailFrom === undefined) return `Holdfast <holdfast@${new URL(publicUrl).hostname}>`;
  if (/^([^<>@\r\n]{1,100}<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/.test(mailFrom)) return mailFrom;
  throw new HoldfastError('server/bad-mail-from', 'input', 'HOLDFAST_MAIL_FROM is no address. It looks like backup@example.com or Backup <backup@example.com>.');
}
