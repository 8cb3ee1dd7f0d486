import type { BinaryString } from '../../domain/index.ts';

const NOT_ASCII = /[\x80-\xff]/;

/** What node:fs needs to reach exactly these bytes; a plain string where that is the same, as it is faster. */
export function fsPath(path: BinaryString): string | Buffer {
  return NOT_ASCII.test(path) ? Buffer.from(path, 'latin1') : path;
}

/** For people: UTF-8, with the replacement character where the bytes are none. */
export function decodeName(name: BinaryString): string {
  return NOT_ASCII.test(name) ? Buffer.from(name, 'latin1').toString('utf8') : name;
}
