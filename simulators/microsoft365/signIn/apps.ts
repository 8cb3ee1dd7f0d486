import { X509Certificate } from 'node:crypto';

/** An application as the tenant knows it: what it may show to sign in, and what an administrator granted to it. */
export interface App {
  readonly id: string;
  readonly name: string;
  readonly secrets: Set<string>;
  readonly certificates: X509Certificate[];
  /** Application permissions that it asks for: what consent grants. */
  readonly asked: Set<string>;
  /** Application permissions that are granted. A token carries those of its day; a call needs them in both. */
  readonly granted: Set<string>;
  readonly redirectUris: string[];
}

/** Everything that backup and restore of mailboxes need, as fact 11's table lists it. */
export const ALL_PERMISSIONS: readonly string[] = [
  'User.Read.All', 'Group.Read.All', 'GroupMember.Read.All', 'Organization.Read.All', 'Directory.Read.All', 'Group.ReadWrite.All', 'User.ReadWrite.All',
  'Mail.Read', 'Mail.ReadWrite', 'MailboxSettings.Read', 'MailboxSettings.ReadWrite',
  'MailboxFolder.Read.All', 'MailboxFolder.ReadWrite.All', 'MailboxItem.Read.All', 'MailboxItem.Export.All', 'MailboxItem.ImportExport.All',
  'Calendars.Read', 'Calendars.ReadWrite', 'Contacts.Read', 'Contacts.ReadWrite', 'Tasks.Read.All', 'Tasks.ReadWrite.All',
];

export interface AppOptions {
  readonly id: string;
  readonly name?: string;
  readonly secret?: string;
  /** PEM of a certificate whose key signs assertions. */
  readonly certificate?: string;
  readonly permissions?: readonly string[];
  /** False: nothing is granted until an administrator consents. */
  readonly consented?: boolean;
  readonly redirectUris?: readonly string[];
}

export function makeApp(options: AppOptions): App {
  const asked = options.permissions ?? ALL_PERMISSIONS;
  return {
    id: options.id,
    name: options.name ?? 'Backup',
    secrets: new Set(options.secret === undefined ? [] : [options.secret]),
    certificates: options.certificate === undefined ? [] : [new X509Certificate(options.certificate)],
    asked: new Set(asked),
    granted: new Set(options.consented === false ? [] : asked),
    redirectUris: [...options.redirectUris ?? []],
  };
}
