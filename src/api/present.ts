import type { AccountInfo, Activity, AuditEntry, Member, Ticket, TokenInfo } from '../accounts/index.ts';
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

/** An entry of the audit log. What it is about stands among its details. */
export function auditDocument({ seq, at, kind, actorName, address, agent, details }: AuditEntry) {
  const { service, task, method } = details;
  return {
    seq, at: at.toISOString(), kind, status: kind.endsWith('.failed') ? 'failed' as const : 'succeeded' as const,
    ...(typeof service === 'string' && { service }), ...(typeof task === 'string' && { task }), performedBy: actorName, ...(typeof method === 'string' && { method }),
    ...(address !== null && { address }), ...(agent !== null && { agent }), description: described(details), details: { ...details },
  };
}

/** Facts as text. */
function described(details: AuditEntry['details']): string {
  return Object.entries(details).map(([name, value]) => `${name}: ${value}`).join('; ');
}

/** A ticket. */
export function ticketDocument({ id, subject, state, openedBy, messages, createdAt, changedAt }: Ticket) {
  return { id, subject, state, openedBy, messages, createdAt: createdAt.toISOString(), changedAt: changedAt.toISOString() };
}

/** An activity. */
export function activityDocument(activity: Activity) {
  const { id, kind, status, startedAt, endedAt, service, subService, taskId, taskName, entityId, entityName, actorName, storedBytes, entities, summary, details } = activity;
  return {
    id, kind, status, startedAt: startedAt.toISOString(), ...(endedAt && { endedAt: endedAt.toISOString(), seconds: (endedAt.getTime() - startedAt.getTime()) / 1000 }),
    ...(service !== null && { service }), ...(subService !== null && { subService }), ...(taskId !== null && { task: { id: taskId, name: taskName ?? taskId } }),
    ...(entityId !== null && { item: { id: entityId, name: entityName ?? entityId } }), performedBy: actorName,
    ...(storedBytes !== null && { storedBytes }), ...(entities !== null && { entities }), ...(summary !== null && { summary }), details: { ...details },
  };
}
