/** What tries out a place, and the storages of the tests: a door of its own, so that no command loads them but the one that asks. */
export { checkConformance, conformanceChecks } from '../conformance.ts';
export { NO_PRUNE } from '../conformanceCheck.ts';
export type { ConformanceOptions, ConformanceResult } from '../conformance.ts';
export type { ConformanceCheck, ConformanceHelper } from '../conformanceCheck.ts';
export { CountingStorage } from '../countingStorage.ts';
export type { OperationCount, StorageCounts } from '../countingStorage.ts';
export { FaultyStorage } from '../faultyStorage.ts';
export type { Fault, FaultEffect } from '../faultyStorage.ts';
export { tryLocks, type LockTrialOptions } from '../lockTrial.ts';
export { LockedMemoryStorage } from '../lockedMemoryStorage.ts';
export { MemoryStorage } from '../memoryStorage.ts';
