import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../runtime/index.ts';
import type { SourceChange } from '../contract.ts';
import { openSource } from './openSource.ts';

/** Far ahead: nothing that a test has just written is too young (see changeKey.ts). */
export const laterClock: Clock = { now: () => Date.parse('2100-01-01T00:00:00Z'), monotonic: () => 0 };

/** A new empty directory, removed after the test. */
export function scratchFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-folder-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export async function batchesOf(path: string, clock = laterClock, signal = new AbortController().signal) {
  const session = await openSource({ path, clock });
  const batches: (readonly SourceChange[])[] = [];
  const context = { cursor: undefined, previous: { rows: noRows }, signal, progress: () => {} };
  for await (const batch of session.enumerate(context)) batches.push(batch);
  await session.close();
  return batches;
}

export async function changesOf(path: string, clock = laterClock): Promise<SourceChange[]> {
  return (await batchesOf(path, clock)).flat();
}

/** What is told of entries, by key. */
export async function entriesOf(path: string, clock = laterClock) {
  const changes = await changesOf(path, clock);
  return new Map(
    changes.flatMap((change) =>
      change.type === 'item' || change.type === 'exception' ? [[change.item.key, change] as const] : [],
    ),
  );
}

async function* noRows(): AsyncGenerator<never> {}
