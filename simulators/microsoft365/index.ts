export { startMicrosoft365 } from './startMicrosoft365.ts';
export type { Microsoft365, Microsoft365Options } from './startMicrosoft365.ts';
export type { Fault, FaultRule } from './server/faults.ts';
export type { LoggedRequest } from './server/requestLog.ts';
export { findBreaches, IS_AVAILABLE, NOT_AVAILABLE } from './conformance/testOpenApi.ts';
