// Words of tasks and their entities: what of a service is backed up.

/** How often the entities of a task are backed up. */
export const FREQUENCIES = ['daily', 'every-3-days', 'weekly', '3-times-a-day'] as const;

export type Frequency = (typeof FREQUENCIES)[number];

/** What the time that backups stay is counted in. */
export const RETENTION_UNITS = ['days', 'months', 'years'] as const;

export type RetentionUnit = (typeof RETENTION_UNITS)[number];

/** How an entity stands. 'scheduled': active, with no backup yet. 'deleting': it goes once its grace is over. */
export const ENTITY_STATUSES = ['not-active', 'scheduled', 'success', 'in-process', 'failed', 'paused', 'archived', 'partial', 'deleting'] as const;

export type EntityStatus = (typeof ENTITY_STATUSES)[number];

/** Whether the provider has licensed it; 'none': the service knows no licences. */
export const LICENCES = ['licensed', 'unlicensed', 'none'] as const;

export type Licence = (typeof LICENCES)[number];

/** What a list of entities can be sorted by. */
export const ENTITY_SORTS = ['name', 'address', 'kind', 'licence', 'status', 'bytes', 'lastBackup'] as const;

export type EntitySort = (typeof ENTITY_SORTS)[number];

/** How a task stands as a whole; the first that fits. 'reading': its entities are not known yet. 'not-active': none of them is activated. */
export const TASK_STATUSES = ['deleting', 'disconnected', 'reading', 'not-active', 'failed', 'partial', 'active'] as const;

export type TaskStatus = (typeof TASK_STATUSES)[number];
