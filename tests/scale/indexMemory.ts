import { inScratch, runNode } from './runNode.ts';

export interface IndexFigures {
  readonly blobs: number;
  readonly falseAlarmRate: number;
  /** Of the whole process, and what it had before the index was opened. */
  readonly peakMiB: number;
  readonly beforeMiB: number;
  readonly hitMicroseconds: number;
  readonly missMicroseconds: number;
  readonly claims: number;
}

/** Makes segments of so many synthetic blobs and asks them from another process. Takes about 70 bytes a blob on the disk. */
export async function indexFigures(blobs: number, segment: number): Promise<IndexFigures> {
  return inScratch(async (directory) => {
    const ask = <T>(command: string): Promise<T> =>
      runNode<T>('tests/bench/blobIndex.ts', [command, directory, String(blobs), String(segment)], 3_600_000);
    const made = await ask<{ falseAlarmRate: number }>('make');
    return { ...await ask<Omit<IndexFigures, 'falseAlarmRate'>>('measure'), ...made };
  });
}
