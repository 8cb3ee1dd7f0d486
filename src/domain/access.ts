/** What a user with the role "custom" may be given. Administrators have all of them. */
export const PERMISSIONS = [
  'settings.view', 'billing.manage', 'support.view', 'activity.view', 'tickets.view-all', 'notifications.manage', 'backups.view', 'billing-messages.view',
  'tasks.activate', 'tasks.modify', 'tasks.delete', 'tasks.pause', 'tasks.execute', 'tasks.cancel', 'tasks.view',
  'items.preview', 'items.restore', 'items.export', 'items.erase',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** What a token for programs may be limited to: permissions, and what administrators alone may do. */
export const SCOPES = [...PERMISSIONS, 'administer'] as const;

export type Scope = (typeof SCOPES)[number];

/** The owner is the primary user of an account: there is one, who also has what no other administrator has. */
export const ROLES = ['owner', 'administrator', 'custom'] as const;

export type Role = (typeof ROLES)[number];

/**
 * What keeps a user out of nearly everything until it is mended: the account asks for a second factor that the user has not set up; the
 * password is older than the account allows; the account was given up and is about to go.
 */
export const LIMITS = ['two-factor-needed', 'password-expired', 'terminated'] as const;

export type Limit = (typeof LIMITS)[number];

/** Limits that a route is open in spite of: those that it is there to mend, or to look at. */
interface Despite {
  readonly despite?: readonly Limit[];
}

/** Who may call a route. Every route names one; there is no default. */
export type Access =
  /** Nobody has to be signed in. */
  | { readonly who: 'anyone' }
  /** Any user of any account, about themselves. With `session`: in person, not through a token. */
  | { readonly who: 'user'; readonly session?: boolean } & Despite
  /** Users who have the permission. With `session`: in person, not through a token. */
  | { readonly who: 'permitted'; readonly permission: Permission; readonly session?: boolean } & Despite
  | { readonly who: 'administrator' }
  /** With `session`: in person, not through a token. */
  | { readonly who: 'owner'; readonly session?: boolean } & Despite
  /** Who runs the service: the machine itself, or the secret of the settings. With `local`: the machine itself alone. */
  | { readonly who: 'operator'; readonly local?: boolean };

/** Who calls. */
export interface Principal {
  readonly userId: string;
  readonly accountId: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly permissions: readonly Permission[];
  /** Ids of the services that the user may see; undefined: all. */
  readonly services: readonly string[] | undefined;
  readonly limits: readonly Limit[];
  /** Signed in in person, or through a token that is limited to scopes. */
  readonly via: { readonly kind: 'session'; readonly sessionId: string } | { readonly kind: 'token'; readonly tokenId: string; readonly scopes: readonly string[] };
}

/** `unknown`: it has to be known first who calls. A limit: the caller may, once that is mended. */
export type Verdict = 'allowed' | 'unknown' | 'refused' | Limit;

/**
 * The one place that decides who may call what. What a caller may see of the things behind a route is judged by {@link sees} and {@link opens}; in lists
 * the question's `where` says the same, and starts from the principal's account.
 */
export function judge(access: Access, principal: Principal | undefined): Verdict {
  if (access.who === 'anyone') return 'allowed';
  // No user is an operator; the machine's own requests are let in before this is asked.
  if (access.who === 'operator') return 'refused';
  if (principal === undefined) return 'unknown';
  if (!mayCall(access, principal)) return 'refused';
  const despite = 'despite' in access ? access.despite ?? [] : [];
  return principal.limits.find((limit) => !despite.includes(limit)) ?? 'allowed';
}

function mayCall(access: Exclude<Access, { who: 'anyone' | 'operator' }>, principal: Principal): boolean {
  switch (access.who) {
    case 'user':
      return access.session !== true || principal.via.kind === 'session';
    case 'permitted':
      return inScope(principal, access.permission) && (access.session !== true || principal.via.kind === 'session') && (principal.role !== 'custom' || principal.permissions.includes(access.permission));
    case 'administrator':
      return inScope(principal, 'administer') && principal.role !== 'custom';
    case 'owner':
      return principal.role === 'owner' && (access.session === true ? principal.via.kind === 'session' : inScope(principal, 'administer'));
  }
}

function inScope({ via }: Principal, scope: Scope): boolean {
  return via.kind === 'session' || via.scopes.includes(scope);
}

/** Where something of a customer belongs. */
export interface Place {
  readonly accountId: string;
  readonly service: string;
  /** Limited Access. */
  readonly limited?: boolean;
}

/** Who looks. */
export type Viewer = Pick<Principal, 'accountId' | 'services' | 'role'>;

/** Whether the caller may know that the thing is there: it is of their account, and of a service that is theirs to see. */
export function sees({ accountId, services }: Viewer, place: Place): boolean {
  return accountId === place.accountId && (services === undefined || services.includes(place.service));
}

/** Whether the caller may look into what is kept of it: browse, preview, restore, export or erase. With Limited Access only the primary user may. */
export function opens(viewer: Viewer, place: Place): boolean {
  return sees(viewer, place) && (place.limited !== true || viewer.role === 'owner');
}
