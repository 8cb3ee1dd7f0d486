import { inScratch, runNode } from './runNode.ts';

export interface BackupMemory {
  readonly items: number;
  readonly status: string;
  /** Of the whole process, as the system counts it. */
  readonly peakMiB: number;
  readonly cpuSeconds: number;
}

/** Backs up so many tiny synthetic items in a process of its own. */
export async function backupMemory(items: number): Promise<BackupMemory> {
  return inScratch((directory) => runNode<BackupMemory>('tests/bench/backupMemory.ts', [String(items), directory], 1_800_000));
}
