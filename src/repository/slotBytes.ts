import type { Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { readings } from './readings.ts';

/** A key slot as it was written, also where somebody put something over it while it was locked; what stands there instead where no such version is found. */
export async function slotBytes(storage: Storage, keyring: Keyring, name: string, signal?: AbortSignal): Promise<Uint8Array> {
  let first: Uint8Array | undefined;
  for await (const bytes of readings(storage, name, signal)) {
    if (keyring.slotHolds(name, bytes)) return bytes;
    first ??= bytes;
  }
  return first ?? new Uint8Array();
}
