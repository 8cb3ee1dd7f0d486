export { descriptor } from './descriptor.ts';
export { decodeItemMeta } from './itemMeta.ts';
export type { ItemMeta } from './itemMeta.ts';
export { openSource } from './openSource.ts';
export { ROOT_KEY } from './walkTree.ts';
