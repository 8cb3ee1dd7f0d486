import { Readable } from 'node:stream';
import type { BlockBlobClient } from '@azure/storage-blob';
import type { RemoteUpload } from '../bucket/remoteBucket.ts';
import { md5Of, piecesOf } from '../bucket/uploadPieces.ts';
import type { Watch } from '../bucket/watchedCall.ts';

/** An object in blocks, which nobody sees before their list is put. Blocks that no list names are forgotten by the service after a week. */
export class AzurePartUpload implements RemoteUpload {
  readonly #blob: BlockBlobClient;
  readonly #ids: string[] = [];

  constructor(blob: BlockBlobClient) {
    this.#blob = blob;
  }

  async part(number: number, bytes: Uint8Array, _start: number, watch: Watch): Promise<void> {
    const md5 = md5Of([bytes]);
    const id = blockId(number, md5);
    const body = (): Readable => Readable.from(piecesOf([bytes], watch), { objectMode: false });
    await this.#blob.stageBlock(id, body, bytes.length, { abortSignal: watch.signal, transactionalContentMD5: md5 });
    watch.progress();
    this.#ids[number] = id;
  }

  async finish(number: number, bytes: Uint8Array, start: number, watch: Watch): Promise<void> {
    if (this.#ids[number] === undefined) await this.part(number, bytes, start, watch);
    await this.#blob.commitBlockList(this.#ids, { abortSignal: watch.signal, blobHTTPHeaders: { blobContentType: 'application/octet-stream' } });
  }

  async abandon(): Promise<void> {
    // There is no call for it.
  }
}

/** Tells a block's place and its bytes; all ids of an object have one length. */
export function blockId(index: number, md5: Buffer): string {
  const place = Buffer.alloc(4);
  place.writeUInt32BE(index);
  return Buffer.concat([place, md5]).toString('base64');
}
