import { Readable } from 'node:stream';
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { azureError, codeOf, statusOf } from './azureErrors.ts';
import type { AzureErrorContext } from './azureErrors.ts';
import { AzurePartUpload, blockId } from './azurePartUpload.ts';
import type { KeyPage, KeyQuery, ObjectState, RemoteBucket, RemoteOperation, RemoteUpload, Span } from '../bucket/remoteBucket.ts';
import { storageUnavailable } from '../storageErrors.ts';
import { md5Of, piecesOf, sizeOf, slicesOf, UnfinishedUploads } from '../bucket/uploadPieces.ts';
import { collectBody } from '../bucket/watchedCall.ts';
import type { Watch } from '../bucket/watchedCall.ts';

/** Larger objects go up in blocks of this size, so that what was sent before a failure need not be sent again. */
const BLOCK = 4 * 1024 * 1024;
const TYPE = { blobContentType: 'application/octet-stream' };

/**
 * A container of Azure Blob Storage.
 *
 * - An object of up to one block is one Put Blob; a larger one is blocks and a block list, whose Put makes it appear
 *   whole. The service forgets blocks that no list names after a week.
 * - There are no suffix ranges: the end of an object costs two requests.
 * - Listing starts anywhere by `startFrom` (List Blobs since 2025), so a page is one request. A server that does not
 *   know the parameter lists from the prefix's start, and every page then costs all pages before it.
 */
export class AzureBucket implements RemoteBucket {
  readonly location: string;
  readonly readEnd = undefined;
  readonly #container: ContainerClient;
  readonly #context: AzureErrorContext;
  /** By key, the blocks that a failed put has sent already. */
  readonly #unfinished = new UnfinishedUploads<Set<string>>();

  /** The client must not retry. */
  constructor(container: ContainerClient, context: AzureErrorContext) {
    this.location = context.location;
    this.#container = container;
    this.#context = context;
  }

  async read(key: string, span: Span | undefined, watch: Watch): Promise<Uint8Array> {
    const version = span?.version;
    try {
      const answer = await this.#blob(key).download(span?.start ?? 0, span && span.end - span.start, {
        abortSignal: watch.signal,
        ...(version !== undefined && { conditions: { ifMatch: version } }),
      });
      watch.progress();
      // In Node there always is a stream; the types are those of browsers too.
      return await collectBody((answer.readableStreamBody ?? Readable.from([])) as Readable, watch);
    } catch (error) {
      // The span starts at the end or after it.
      if (statusOf(error) === 416) return new Uint8Array();
      throw error;
    }
  }

  async look(key: string, watch: Watch): Promise<ObjectState | undefined> {
    try {
      const { contentLength = 0, etag = '' } = await this.#blob(key).getProperties({ abortSignal: watch.signal });
      return { size: contentLength, version: etag };
    } catch (error) {
      if (isNoBlob(error)) return undefined;
      throw error;
    }
  }

  async write(key: string, parts: readonly Uint8Array[], watch: Watch): Promise<void> {
    const size = sizeOf(parts);
    if (size > BLOCK) return this.#writeBlocks(key, parts, size, watch);
    const options = { abortSignal: watch.signal, blobHTTPHeaders: TYPE };
    const { contentMD5 } = await this.#blob(key).upload(() => bodyOf(parts, watch), size, options);
    if (contentMD5 === undefined || md5Of(parts).equals(contentMD5)) return;
    throw storageUnavailable(this.location, 'what arrived there is not what was sent');
  }

  begin(key: string): Promise<RemoteUpload> {
    return Promise.resolve(new AzurePartUpload(this.#blob(key)));
  }

  async list({ prefix, from, limit, page }: KeyQuery, watch: Watch): Promise<KeyPage> {
    const options = { abortSignal: watch.signal, prefix, ...(from !== undefined && { startFrom: from }) };
    const settings = { maxPageSize: limit, ...(page !== undefined && { continuationToken: page }) };
    for await (const { segment, continuationToken } of this.#container.listBlobsFlat(options).byPage(settings)) {
      const keys = segment.blobItems.map((item) => ({ key: item.name, size: item.properties.contentLength ?? 0 }));
      return { keys, page: continuationToken || undefined };
    }
    return { keys: [], page: undefined };
  }

  async remove(key: string, watch: Watch): Promise<void> {
    try {
      await this.#blob(key).delete({ abortSignal: watch.signal });
    } catch (error) {
      if (!isNoBlob(error)) throw error;
    }
  }

  explain(error: unknown, operation: RemoteOperation): unknown {
    return azureError(error, operation, this.#context);
  }

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(key);
  }

  /** A block's id tells its place and its bytes, so that blocks of another put under this name are never taken for ours. */
  async #writeBlocks(key: string, parts: readonly Uint8Array[], size: number, watch: Watch): Promise<void> {
    const blob = this.#blob(key);
    const sent = this.#unfinished.get(key) ?? new Set<string>();
    this.#unfinished.set(key, sent);
    const ids: string[] = [];
    for (let start = 0; start < size; start += BLOCK) {
      const slices = slicesOf(parts, start, start + BLOCK);
      const md5 = md5Of(slices);
      const id = blockId(ids.length, md5);
      ids.push(id);
      if (sent.has(id)) continue;
      const options = { abortSignal: watch.signal, transactionalContentMD5: md5 };
      await blob.stageBlock(id, () => bodyOf(slices, watch), sizeOf(slices), options);
      watch.progress();
      sent.add(id);
    }
    // Whatever comes of it, blocks count once: a list that the service refuses has lost some of them.
    this.#unfinished.delete(key);
    await blob.commitBlockList(ids, { abortSignal: watch.signal, blobHTTPHeaders: TYPE });
  }
}

function bodyOf(parts: readonly Uint8Array[], watch: Watch): Readable {
  return Readable.from(piecesOf(parts, watch), { objectMode: false });
}

function isNoBlob(error: unknown): boolean {
  return statusOf(error) === 404 && codeOf(error) !== 'ContainerNotFound';
}
