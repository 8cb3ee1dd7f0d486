export { renderLetter } from './renderLetter.ts';
export type { Letter, RenderedLetter } from './renderLetter.ts';
export { openSmtp, parseSmtpUrl } from './smtp.ts';
export type { MailTransport, OutgoingMail } from './mailTransport.ts';
