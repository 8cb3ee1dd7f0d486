/** How something that is done for a customer stands, or how it ended: the last four. */
export const ACTIVITY_STATUSES = ['pending', 'running', 'succeeded', 'partial', 'failed', 'cancelled'] as const;

export type ActivityStatus = (typeof ACTIVITY_STATUSES)[number];
