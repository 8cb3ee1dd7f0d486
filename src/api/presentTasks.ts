import type { EntityInfo, offers, Rule, TaskInfo, TasksContext } from '../tasks/index.ts';

// What the routes tell of tasks and entities: dates as text, what is not there left out.

/** A service. */
export function offerDocument({ missing, includes, needs, advice, kinds, noun, bulk, attributes, ...offer }: ReturnType<typeof offers>[number]) {
  return { ...offer, noun: { ...noun }, includes: [...includes], needs: [...needs], advice: [...advice], kinds: { ...kinds }, bulk: [...bulk], attributes: { ...attributes }, ...(missing !== undefined && { missing }) };
}

/** A task. */
export function taskDocument({ services }: TasksContext, task: TaskInfo) {
  const { id, service, name, createdAt, status, connection, entities, bytes, lastBackupAt, discovery, settings, goneAt } = task;
  const { trouble, authorisedAt, ...connected } = connection;
  const { archivedDays, retention, ...set } = settings;
  const noun = services.find(({ offer }) => offer.service === service)?.offer.noun.many ?? 'entities';
  return {
    id, service, name, createdAt: createdAt.toISOString(), status, entities: { ...entities }, bytes,
    connection: { ...connected, authorisedAt: authorisedAt.toISOString(), ...(trouble !== null && { trouble }) },
    discovery: { running: discovery.running, ...(discovery.at && { at: discovery.at.toISOString() }), ...(discovery.failure !== null && { failure: discovery.failure }) },
    settings: { ...set, ...(archivedDays !== undefined && { archivedDays }), ...(retention && { retention: { ...retention } }) },
    ...(lastBackupAt && { lastBackupAt: lastBackupAt.toISOString() }), ...(goneAt && { goneAt: goneAt.toISOString() }),
    ...(entities.active === 0 && entities.total > 0 && { reminder: `0 out of ${entities.total} ${noun} have activated backups` }),
  };
}

/** An entity. */
export function entityDocument({ key: _key, tags, lastBackupAt, archivedAt, goneAt, elsewhere, ...entity }: EntityInfo) {
  return {
    ...entity, tags: tags.map(({ id, name }) => ({ id, name })), ...(lastBackupAt && { lastBackupAt: lastBackupAt.toISOString() }),
    ...(archivedAt && { archivedAt: archivedAt.toISOString() }), ...(goneAt && { goneAt: goneAt.toISOString() }), ...(elsewhere !== null && { elsewhere }),
  };
}

/** A rule. */
export function ruleDocument({ id, name, enabled, createdAt, activates }: Rule) {
  const conditions = activates.kind === 'attributes' ? Object.fromEntries(Object.entries(activates.conditions).map(([property, values]) => [property, [...values]])) : {};
  return { id, name, enabled, createdAt: createdAt.toISOString(), activates: activates.kind === 'all' ? { kind: activates.kind } : { kind: activates.kind, conditions } };
}
