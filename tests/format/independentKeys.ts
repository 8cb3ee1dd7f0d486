import { get, lastPart, namesUnder, openRecord, readHeader } from './independentObjects.ts';
import type { Objects } from './independentObjects.ts';
import { derive, unbox, unseal } from './independentSealing.ts';

/** docs/format/keys.md: key slots and epochs. Nothing here may be imported from src. */

/** What a key slot holds. */
export interface Bundle {
  readonly repository: string;
  readonly secret: string;
  readonly epochs: readonly Epoch[];
}

/** `<n>-<id>` and base64. */
interface Epoch {
  readonly id: string;
  readonly key: string;
  readonly active: boolean;
}

/** Of the slot that the key opens. */
export function openBundle(objects: Objects, key: Uint8Array): { slot: string; bundle: Bundle } {
  for (const name of namesUnder(objects, 'keys/')) {
    const record = get(objects, name).subarray(0, -64);
    try {
      unseal(derive(key, 'slot'), record.subarray(8), name);
    } catch {
      continue;
    }
    return { slot: lastPart(name), bundle: openRecord(name, record, () => derive(key, 'slot')) as Bundle };
  }
  throw new Error('the key opens no slot');
}

/** The object of an epoch. */
export interface EpochRecord {
  readonly slots: Readonly<Record<string, string>>;
}

/** docs/format/keys.md, "Epochs": those in the bundle, and those that were made since. */
export function allEpochs(objects: Objects, slot: string, key: Uint8Array, bundle: Bundle): Map<number, Buffer> {
  const number = (id: string): number => Number(id.slice(0, 10));
  const bundled = new Map(bundle.epochs.map((epoch) => [epoch.id, Buffer.from(epoch.key, 'base64')]));
  const epochs = new Map<number, Buffer>(bundle.epochs.filter(({ active }) => active).map(({ id }) => [number(id), bundled.get(id) as Buffer]));
  for (const name of namesUnder(objects, 'epochs/')) {
    const id = lastPart(name);
    if (id.endsWith('.prepared') || epochs.has(number(id)) || !epochs.has(readHeader(name, get(objects, name), 'HFOB'))) continue;
    const { slots } = openRecord(name, get(objects, name), (epoch) => derive(epochs.get(epoch) ?? Buffer.alloc(32), 'next-epoch')) as EpochRecord;
    const box = slots[slot];
    const common = derive(Buffer.from(bundle.secret, 'base64'), 'epoch-box');
    const boxed = box === undefined ? undefined : unbox(derive(key, 'slot-box'), common, Buffer.from(box, 'base64'), `${name}#${slot}`);
    const found = bundled.get(id) ?? boxed;
    if (found) epochs.set(number(id), found);
  }
  return epochs;
}
