import type { ColumnType, Generated } from 'kysely';
import type { ActivityStatus, EntityStatus, Frequency, Licence, RetentionUnit, Role } from '../domain/index.ts';

/** The tables of migrations/, as questions see them. */
export interface Tables {
  readonly accounts: AccountsTable;
  readonly users: UsersTable;
  readonly sessions: SessionsTable;
  readonly signIns: SignInsTable;
  readonly verifications: VerificationsTable;
  readonly members: MembersTable;
  readonly twoFactors: TwoFactorsTable;
  readonly usedCodes: UsedCodesTable;
  readonly emailChanges: EmailChangesTable;
  readonly apiTokens: ApiTokensTable;
  readonly auditEntries: AuditEntriesTable;
  readonly auditHeads: AuditHeadsTable;
  readonly activities: ActivitiesTable;
  readonly idempotencyKeys: IdempotencyKeysTable;
  readonly tickets: TicketsTable;
  readonly ticketMessages: TicketMessagesTable;
  readonly outbox: OutboxTable;
  readonly serviceNotes: ServiceNotesTable;
  readonly tasks: TasksTable;
  readonly connections: ConnectionsTable;
  readonly authorisations: AuthorisationsTable;
  readonly entities: EntitiesTable;
  readonly rules: RulesTable;
  readonly tags: TagsTable;
  readonly entityTags: EntityTagsTable;
}

/** Set when the row is made unless it is given. */
type Made = ColumnType<Date, Date | undefined, Date>;
type Maybe<T> = ColumnType<T | null, T | null | undefined, T | null>;
/** Made by the database of the other columns. */
type Computed<T> = ColumnType<T, never, never>;

export interface AccountsTable {
  id: string;
  company: string;
  location: string;
  createdAt: Made;
  activatedAt: Maybe<Date>;
  trialEndsAt: Maybe<Date>;
  twoFactorEnforced: Generated<boolean>;
  passwordDays: Maybe<number>;
  terminatedAt: Maybe<Date>;
  goneAt: Maybe<Date>;
}

export interface UsersTable {
  id: string;
  name: string;
  email: string;
  emailVerified: Generated<boolean>;
  twoFactorEnabled: Generated<boolean>;
  image: Maybe<string>;
  createdAt: Made;
  updatedAt: Made;
}

export interface SessionsTable {
  id: string;
  token: string;
  userId: string;
  expiresAt: Date;
  ipAddress: Maybe<string>;
  userAgent: Maybe<string>;
  createdAt: Made;
  updatedAt: Made;
}

/** How a user proves who they are: 'credential' is the password. */
export interface SignInsTable {
  id: string;
  accountId: string;
  providerId: string;
  userId: string;
  password: Maybe<string>;
  createdAt: Made;
  updatedAt: Made;
}

export interface MembersTable {
  userId: string;
  accountId: string;
  role: Role;
  permissions: ColumnType<string[], string[] | undefined, string[]>;
  services: Maybe<string[]>;
  passwordSetAt: Made;
  createdAt: Made;
}

/** What the sign-in library waits for: links and steps of signing in. */
export interface VerificationsTable {
  id: string;
  identifier: string;
  value: string;
  expiresAt: Date;
}

/** The sign-in library's own. */
export interface TwoFactorsTable {
  id: string;
  userId: string;
  verified: boolean;
}

export interface UsedCodesTable {
  userId: string;
  code: string;
  usedAt: Date;
}

export interface EmailChangesTable {
  userId: string;
  email: string;
  digest: Buffer;
  expiresAt: Date;
  createdAt: Made;
}

export interface ApiTokensTable {
  id: string;
  accountId: string;
  userId: string;
  name: string;
  digest: Buffer;
  scopes: string[];
  createdAt: Made;
  expiresAt: Date;
  revokedAt: Maybe<Date>;
  lastUsedAt: Maybe<Date>;
}

export interface AuditEntriesTable {
  accountId: string;
  seq: number;
  at: Date;
  kind: string;
  actorId: string | null;
  actorName: string;
  address: string | null;
  agent: string | null;
  details: ColumnType<Record<string, string | number | boolean | null>, string, never>;
  digest: Buffer;
}

export interface AuditHeadsTable {
  accountId: string;
  seq: number;
  digest: Buffer;
  seal: Buffer;
}

export interface ActivitiesTable {
  id: string;
  accountId: string;
  kind: string;
  status: ActivityStatus;
  startedAt: Date;
  endedAt: Maybe<Date>;
  service: Maybe<string>;
  subService: Maybe<string>;
  taskId: Maybe<string>;
  taskName: Maybe<string>;
  entityId: Maybe<string>;
  entityName: Maybe<string>;
  actorId: Maybe<string>;
  actorName: string;
  storedBytes: Maybe<number>;
  entities: Maybe<number>;
  summary: Maybe<string>;
  details: ColumnType<Record<string, string | number | boolean | null>, string | undefined, string>;
}

export interface IdempotencyKeysTable {
  accountId: string;
  userId: string;
  key: Buffer;
  request: Buffer;
  answer: Maybe<Buffer>;
  startedAt: Date;
  expiresAt: Date;
}

export interface TicketsTable {
  id: string;
  accountId: string;
  userId: string | null;
  userName: string;
  subject: string;
  state: 'open' | 'closed';
  messages: number;
  createdAt: Date;
  changedAt: Date;
}

export interface TicketMessagesTable {
  id: string;
  ticketId: string;
  author: string;
  text: string;
  createdAt: Date;
}

export interface OutboxTable {
  id: string;
  recipient: string;
  subject: string;
  body: Buffer | null;
  createdAt: Made;
  state: Generated<'waiting' | 'sent' | 'failed'>;
  attempts: Generated<number>;
  nextAt: Made;
  endedAt: Maybe<Date>;
  failure: Maybe<string>;
}

export interface ServiceNotesTable {
  name: string;
  value: string;
}

export interface TasksTable {
  id: string;
  accountId: string;
  service: string;
  name: string;
  nameOrder: string;
  createdAt: Date;
  indexContent: Generated<boolean>;
  archivedDays: Maybe<number>;
  frequency: Generated<Frequency>;
  backupHour: Generated<number>;
  retentionCount: Maybe<number>;
  retentionUnit: Maybe<RetentionUnit>;
  deletedAt: Maybe<Date>;
  goneAt: Maybe<Date>;
  discoveryDueAt: Date;
  discoveryRun: Maybe<string>;
  discoveryLeaseUntil: Maybe<Date>;
  discoveredAt: Maybe<Date>;
  discoveryFailures: Generated<number>;
  discoveryFailure: Maybe<string>;
}

export interface ConnectionsTable {
  taskId: string;
  accountId: string;
  identity: string;
  label: string;
  secret: Buffer;
  connected: Generated<boolean>;
  trouble: Maybe<string>;
  authorisedAt: Date;
}

export interface AuthorisationsTable {
  digest: Buffer;
  accountId: string;
  sessionId: string;
  service: string;
  taskId: Maybe<string>;
  name: string;
  memory: Buffer;
  expiresAt: Date;
}

type EntityState = 'inactive' | 'active' | 'paused' | 'archived';

export interface EntitiesTable {
  id: string;
  accountId: string;
  taskId: string;
  service: string;
  reference: string;
  name: string;
  nameOrder: string;
  address: string;
  addressOrder: string;
  kind: string;
  licence: Licence;
  state: EntityState;
  stateBefore: Maybe<Exclude<EntityState, 'archived'>>;
  archivedAt: Maybe<Date>;
  running: Generated<boolean>;
  lastOutcome: Maybe<'success' | 'partial' | 'failed'>;
  lastBackupAt: Maybe<Date>;
  bytes: Generated<number>;
  limited: Generated<boolean>;
  deletedAt: Maybe<Date>;
  goneAt: Maybe<Date>;
  createdAt: Date;
  seenRun: string;
  attributes: ColumnType<Record<string, string>, string | undefined, string>;
  status: Computed<EntityStatus>;
  backupOrder: Computed<Date>;
}

export interface RulesTable {
  id: string;
  accountId: string;
  taskId: string;
  name: string;
  kind: 'all' | 'attributes';
  enabled: Generated<boolean>;
  conditions: ColumnType<Record<string, string[]> | null, string | undefined, string>;
  createdAt: Date;
}

export interface TagsTable {
  id: string;
  accountId: string;
  name: string;
  nameOrder: string;
  createdAt: Date;
}

export interface EntityTagsTable {
  entityId: string;
  tagId: string;
}
