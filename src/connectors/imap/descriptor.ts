import type { Descriptor } from '../contract.ts';

export const descriptor: Descriptor = {
  service: 'imap',
  title: 'IMAP mailbox',
  kinds: { mail: { title: 'Mail', extension: '.eml' } },
  limits: [
    'Filters, rules, vacation notices and other settings of the mail server are not reachable over IMAP.',
    'Servers that change what they are given (line ends, NUL bytes, dates) are noticed on restore, not undone.',
    'A mail that moved to another folder is fetched again; its content is stored only once.',
    'A restore never deletes mail, also with mode "replace".',
  ],
};
