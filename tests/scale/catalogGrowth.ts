import { runBackup } from '../../src/backup/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { RecordingStorage } from '../incremental/recordingStorage.ts';
import { never, ScratchRepository, unheard } from '../roundTrip/scratchRepository.ts';
import { SyntheticSource } from '../sources/syntheticSource.ts';

export interface Growth {
  readonly items: number;
  readonly changed: number;
  readonly fetched: number;
  /** Bytes of catalog segments that the changes cost. */
  readonly segmentBytes: number;
  /** All bytes put by the run that found the changes, packs and index left out. */
  readonly recordBytes: number;
  /** Bytes of the first run's segments. */
  readonly baseBytes: number;
}

/** Backs up `items`, then again with `changes` of them changed at even distances. */
export async function catalogGrowth(items: number, changes: number, inner: Storage): Promise<Growth> {
  const storage = new RecordingStorage(inner);
  using scratch = await ScratchRepository.make(storage);
  const options = { signal: never, progress: unheard, clock: systemClock };
  await runBackup(scratch.repository, new SyntheticSource({ items, bytes: 64 }), options);
  const baseBytes = storage.putBytes('segments');
  storage.reset();
  const distance = Math.floor(items / changes);
  // Spread over the whole key range, not in line with its blocks.
  const version = (item: number): number => (item % distance === distance >> 1 ? 1 : 0);
  const source = new SyntheticSource({ items, bytes: 64, version });
  const { counts } = await runBackup(scratch.repository, source, options);
  return {
    items: counts.items, changed: counts.changed, fetched: source.fetched, segmentBytes: storage.putBytes('segments'),
    recordBytes: storage.putBytes() - storage.putBytes('packs') - storage.putBytes('index'), baseBytes,
  };
}
