import type { ObjectLockRetention } from '@aws-sdk/client-s3';
import type { Lock, LockMode } from '../objectLocks.ts';

/** Services keep whole seconds; what is asked for is rounded up, so that a lock is never shorter than meant. */
export function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000) * 1000;
}

export function retention({ mode, until }: Lock): ObjectLockRetention {
  return { Mode: mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE', RetainUntilDate: new Date(wholeSeconds(until)) };
}

/** A lock along with a put. */
export function lockHeaders({ mode, until }: Lock): { readonly ObjectLockMode: 'COMPLIANCE' | 'GOVERNANCE'; readonly ObjectLockRetainUntilDate: Date } {
  return { ObjectLockMode: mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(wholeSeconds(until)) };
}

export function modeOf(mode: string | undefined): LockMode {
  return mode === 'COMPLIANCE' ? 'compliance' : 'governance';
}
