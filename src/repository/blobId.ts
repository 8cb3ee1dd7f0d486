import { hash } from 'node:crypto';
import type { BinaryString } from '../domain/index.ts';
import { ID_LENGTH } from './recipe.ts';

/**
 * Names blobs: SHA-256(key ‖ SHA-256(bytes)) cut to 24 bytes. The outer hash has an input of fixed length, so the
 * missing HMAC construction costs nothing; without the account's secret nobody can tell which bytes an id names.
 */
export class BlobNamer {
  readonly #outer = Buffer.alloc(64);

  constructor(idKey: Uint8Array) {
    this.#outer.set(idKey, 0);
  }

  id(bytes: Uint8Array): BinaryString {
    this.#outer.write(hash('sha256', bytes, 'binary'), 32, 'latin1');
    return hash('sha256', this.#outer, 'binary').slice(0, ID_LENGTH);
  }
}
