export { allRoutes, contract } from './contract.ts';
export { namedSchemas } from './namedSchemas.ts';
export { plain } from './plain.ts';
export { openClient } from './client.ts';
export type { ApiClient } from './client.ts';
export type { RouteMeta } from './route.ts';
export { ActivityQuestion, AuditQuestion } from './activity.ts';
export type { ActivityEvent } from './activity.ts';
export { Problem } from './schemas.ts';
