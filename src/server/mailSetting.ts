import { HoldfastError } from '../domain/index.ts';
import { openSmtp, parseSmtpUrl, type MailTransport } from '../mail/index.ts';
import type { ServiceSettings } from '../runtime/index.ts';

/** The mail server of the settings; undefined: there is none. Errors: `mail/bad-url`, `server/bad-mail-from`. */
export function openMailTransport({ smtpUrl, mailFrom }: ServiceSettings, publicUrl: string): MailTransport | undefined {
  if (smtpUrl === undefined) return undefined;
  return openSmtp(parseSmtpUrl(smtpUrl), senderOf(mailFrom, publicUrl));
}

/** Where tickets go; undefined: nowhere by mail. Errors: `server/bad-support-address`. */
export function readSupportAddress({ supportAddress }: ServiceSettings): string | undefined {
  if (supportAddress === undefined || /^[^<>@\s,;]+@[^<>@\s,;]+$/.test(supportAddress)) return supportAddress;
  throw new HoldfastError('server/bad-support-address', 'input', 'HOLDFAST_SUPPORT_ADDRESS is no address. It looks like support@example.com.');
}

function senderOf(mailFrom: string | undefined, publicUrl: string): string {
  if (mailFrom === undefined) return `Holdfast <holdfast@${new URL(publicUrl).hostname}>`;
  if (/^([^<>@\r\n]{1,100}<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/.test(mailFrom)) return mailFrom;
  throw new HoldfastError('server/bad-mail-from', 'input', 'HOLDFAST_MAIL_FROM is no address. It looks like backup@example.com or Backup <backup@example.com>.');
}
