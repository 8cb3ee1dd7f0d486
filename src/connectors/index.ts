/**
 * Every connector, and the only list of them. A connector's folder looks the same as every other: `descriptor`,
 * `openSource`, and `openTarget` where it can write.
 */
import { descriptor as folderDescriptor } from './folder/index.ts';
import { descriptor as imapDescriptor } from './imap/index.ts';
import { descriptor as exchangeDescriptor } from './microsoft365/index.ts';
import type { Descriptor } from './contract.ts';

export * from './contract.ts';
export * as folder from './folder/index.ts';
export * as imap from './imap/index.ts';
export * as microsoft365 from './microsoft365/index.ts';

export const descriptors: readonly Descriptor[] = [folderDescriptor, imapDescriptor, exchangeDescriptor];

/** The descriptor of a service as a snapshot names it; undefined for one that this version does not know. */
export function descriptorOf(service: string): Descriptor | undefined {
  return descriptors.find((descriptor) => descriptor.service === service);
}
