import { SealingKey } from './xaes.ts';

const known = new Map<string, SealingKey>();

/** The key for raw bytes that came with a job, made once a thread: making one costs more than opening a small frame. */
export function sealingKeyOf(raw: Uint8Array): SealingKey {
  const name = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1');
  let key = known.get(name);
  if (!key) {
    key = new SealingKey(raw);
    known.set(name, key);
  }
  return key;
}
