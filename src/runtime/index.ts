export * from './clock.ts';
export * from './random.ts';
export * from './retry.ts';
export * from './sleep.ts';
export * from './scratch.ts';
export * from './settings.ts';
export * from './freeBuffer.ts';
export * from './releaseMemory.ts';
