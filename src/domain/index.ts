export * from './access.ts';
export * from './activity.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './item.ts';
export type * from './preview.ts';
export * from './snapshot.ts';
export * from './task.ts';
