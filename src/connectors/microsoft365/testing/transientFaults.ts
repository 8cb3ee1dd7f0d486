import type { Fault } from '../../../../simulators/microsoft365/index.ts';

/** What a request gets over by being sent again. */
export const TRANSIENT_FAULTS: readonly Fault[] = [
  { kind: 'status', status: 500 }, { kind: 'status', status: 503, retryAfterSeconds: 1 }, { kind: 'status', status: 504 }, { kind: 'status', status: 429, retryAfterSeconds: 1.5 },
  { kind: 'status', status: 401 }, { kind: 'reset' }, { kind: 'truncate', bytes: 30 }, { kind: 'truncate', bytes: 0 }, { kind: 'cut', bytes: 20 },
];
