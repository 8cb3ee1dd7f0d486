/**
 * Every connector, and the only list of them. A connector's folder looks the same as every other: `descriptor`,
 * `openSource`, and `openTarget` where it can write.
 */
import { descriptor as folderDescriptor } from './folder/index.ts';
import { descriptor as imapDescriptor, imapTaskService } from './imap/index.ts';
import { descriptor as exchangeDescriptor, exchangeTaskService } from './microsoft365/index.ts';
import type { AddressGuard, ProviderSettings } from '../runtime/index.ts';
import type { Descriptor } from './contract.ts';
import type { TaskService } from './offer.ts';

export * from './contract.ts';
export * as folder from './folder/index.ts';
export * as imap from './imap/index.ts';
export * as microsoft365 from './microsoft365/index.ts';

export const descriptors: readonly Descriptor[] = [folderDescriptor, imapDescriptor, exchangeDescriptor];

/** Services that customers can make tasks of, in the order in which they are offered. */
export function taskServices(settings: ProviderSettings, guard: AddressGuard): readonly TaskService[] {
  return [exchangeTaskService(settings), imapTaskService(guard)];
}

/** The descriptor of a service as a snapshot names it; undefined for one that this version does not know. */
export function descriptorOf(service: string): Descriptor | undefined {
  return descriptors.find((descriptor) => descriptor.service === service);
}
