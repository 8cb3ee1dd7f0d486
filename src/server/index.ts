export { runService } from './runService.ts';
export type { ServiceOptions, ServiceRole } from './runService.ts';
export { readMasterKey } from './masterKey.ts';
