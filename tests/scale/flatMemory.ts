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

export interface ExportMemory {
  readonly items: number;
  readonly missing: number;
  readonly parts: number;
  readonly peakMiB: number;
  readonly cpuSeconds: number;
}

/** Exports so many tiny synthetic mails, backed up before, in a process of its own. */
export async function exportMemory(items: number, format: 'mbox' | 'zip'): Promise<ExportMemory> {
  return inScratch(async (directory) => {
    await runNode<BackupMemory>('tests/bench/backupMemory.ts', [String(items), directory], 1_800_000);
    return runNode<ExportMemory>('tests/bench/exportMemory.ts', [format, directory], 1_800_000);
  });
}
