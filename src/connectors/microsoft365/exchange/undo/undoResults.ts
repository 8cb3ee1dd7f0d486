import { isHoldfastError } from '../../../../domain/index.ts';
import type { NotedChange, UndoResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import type { TargetAccess } from '../subTarget.ts';

/** What all parts of an undo need. */
export interface UndoContext {
  readonly access: TargetAccess;
  /** Id of the restore that is taken back. */
  readonly restore: string;
}

export interface UndoCall {
  /** Nothing is written. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** Takes back what one part of a mailbox noted. */
export interface PartUndo {
  readonly name: string;
  undo(changes: readonly NotedChange[], call: UndoCall): Promise<readonly UndoResult[]>;
  close(): Promise<void>;
}

export const UNDONE: UndoResult = { result: 'undone' };
export const NOTHING: UndoResult = { result: 'nothing' };

export function left(code: string, message: string): UndoResult {
  return { result: 'left', code, message };
}

export const CHANGED = left('changed-since', 'It was changed after the restore, so it stays as it is.');

/** Of a change of which nobody knows how far it came, and which leaves no trace of its own until it is whole. */
export const IN_DOUBT = left('in-doubt', 'The restore was stopped while it brought this back as a stream, and nothing tells whether it arrived. Look for it in its folder.');

/** Errors that concern one thing alone become its result; all others are thrown. */
export async function orFailed(signal: AbortSignal, act: () => Promise<UndoResult>): Promise<UndoResult> {
  try {
    return await act();
  } catch (error) {
    signal.throwIfAborted();
    if (!isHoldfastError(error) || !hasCode(error, 'refused', 'not-found', 'unavailable', 'odd-answer')) throw error;
    return { result: 'failed', code: 'refused', message: error.message };
  }
}

const ORDER: readonly UndoResult['result'][] = ['nothing', 'undone', 'altered', 'left', 'failed'];

/** Of several things that one change did: what is worth most to be told. */
export function worst(results: readonly UndoResult[]): UndoResult {
  return results.toSorted((a, b) => ORDER.indexOf(b.result) - ORDER.indexOf(a.result))[0] ?? NOTHING;
}

/** Results in the order of the things; some at once. All have ended before an error goes on upwards. */
export async function someAtOnce<T, R>(things: readonly T[], count: number, act: (thing: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let place = next++; place < things.length; place = next++) results[place] = await act(things[place] as T);
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(count, things.length) }, worker));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return results;
}
