import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { HoldfastError } from '../domain/index.ts';

/** Tells where customers may send the service to. */
export interface AddressGuard {
  /**
   * The address of a host that a customer named, once it is sure that it may be reached: connect to it and to nothing else, since the name may lead elsewhere a
   * moment later. Errors: `network/unknown-host`, `network/private-address`, `network/unavailable`.
   */
  resolve(host: string, signal: AbortSignal): Promise<string>;
  /** Whether the operator has opened the network of this address: then clear text is their own affair, too. */
  isOpened(address: string): boolean;
}

const LOOKUP_MS = 10_000;

/** IANA's registries of special-purpose addresses. */
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24],
  ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
];
/** Of 2000::/3, outside of which nothing is public. Some carry an IPv4 address inside. */
const PRIVATE_V6: readonly (readonly [string, number])[] = [['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20]];

/** `opened`: networks ('10.1.0.0/16') that may be reached although they are private; the operator's choice. Errors: `network/bad-networks`. */
export function addressGuard(opened: readonly string[]): AddressGuard {
  const refused = listOf(PRIVATE_V4, PRIVATE_V6);
  const global = listOf([], [['2000::', 3]]);
  const open = new BlockList();
  for (const network of opened) addNetwork(open, network);
  const isOpened = (address: string): boolean => open.check(address, familyOf(address));
  const may = (address: string): boolean => isOpened(address)
    || (!refused.check(address, familyOf(address)) && (isIP(address) === 4 || global.check(address, 'ipv6')));
  return {
    isOpened,
    async resolve(host, signal) {
      const addresses = await addressesOf(host, signal);
      const [first] = addresses;
      // One that is private among public ones is a trick.
      if (first !== undefined && addresses.every(may)) return first;
      throw new HoldfastError('network/private-address', 'input',
        `"${host}" leads into a private network, which this service does not reach. Give a server of the internet; who runs the service can open a network (HOLDFAST_OPEN_NETWORKS).`);
    },
  };
}

async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return [bare];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOKUP_MS)]);
  try {
    limit.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    limit.addEventListener('abort', () => reject(limit.reason), { once: true });
    const found = await Promise.race([lookup(bare, { all: true }), aborted]);
    return found.map(({ address }) => address);
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOTFOUND') throw new HoldfastError('network/unknown-host', 'input', `There is no host of the name "${host}". Check the spelling.`, { cause });
    throw new HoldfastError('network/unavailable', 'retry', `The name "${host}" could not be looked up. Try again in a minute.`, { cause });
  }
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', length = ''] = network.split('/');
  const family = isIP(address);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (family === 0 || bits < 0 || bits > (family === 4 ? 32 : 128)) {
    throw new HoldfastError('network/bad-networks', 'input', 'HOLDFAST_OPEN_NETWORKS is no list of networks. It looks like 10.1.0.0/16,fd00::/8.');
  }
  list.addSubnet(address, bits, familyOf(address));
}

function listOf(v4: readonly (readonly [string, number])[], v6: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of v4) list.addSubnet(address, bits, 'ipv4');
  for (const [address, bits] of v6) list.addSubnet(address, bits, 'ipv6');
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
