import type { AccountInfo, AuditEntry, Member, TokenInfo } from '../accounts/index.ts';
import { SCOPES, type Permission, type Scope } from '../domain/index.ts';

// What the routes tell of things: dates as text, what is not there left out.

/** An account. */
export function accountDocument({ createdAt, trialEndsAt, goneAt, location, id, company, security }: AccountInfo) {
  const { twoFactorEnforced, passwordDays } = security;
  return {
    id, company, location: { id: location.id, name: location.name }, createdAt: createdAt.toISOString(), ...(trialEndsAt && { trialEndsAt: trialEndsAt.toISOString() }),
    ...(goneAt && { goneAt: goneAt.toISOString() }), security: { twoFactorEnforced, ...(passwordDays !== undefined && { passwordDays }) },
  };
}

/** A user. */
export function userDocument({ id, name, email, confirmed, role, permissions, services, twoFactor, createdAt }: Member) {
  return {
    id, name, email, confirmed, role, permissions: [...permissions] satisfies Permission[], ...(services && { services: [...services] }), twoFactor, createdAt: createdAt.toISOString(),
  };
}

/** A token without its secret. */
export function tokenDocument({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: TokenInfo) {
  const known: Scope[] = SCOPES.filter((scope) => scopes.includes(scope));
  return { id, name, scopes: known, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString(), ...(lastUsedAt && { lastUsedAt: lastUsedAt.toISOString() }) };
}

/** An entry of the audit log. */
export function auditDocument({ seq, at, kind, actorName, address, agent, details }: AuditEntry) {
  return {
    seq, at: at.toISOString(), kind, performedBy: actorName, ...(address !== null && { address }), ...(agent !== null && { agent }), details: { ...details },
  };
}
