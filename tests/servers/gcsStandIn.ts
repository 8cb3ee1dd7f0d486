import { createHash, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Meddling, SeenRequest } from './httpProxy.ts';

export interface GcsStandIn {
  readonly endpoint: string;
  /** A service account's file, whose tokens this server accepts. */
  readonly credentials: object;
  readonly objects: Map<string, { readonly bytes: Buffer; readonly generation: string }>;
  readonly seen: SeenRequest[];
  /** How many were made so far. */
  connections: number;
  /** As in a proxy. A number in `cutAfter` breaks the connection of an upload after so many bytes, which are kept. */
  meddle: (seen: SeenRequest) => Meddling | { cutAfter: number } | undefined;
  stop(): Promise<void>;
}

interface Upload {
  readonly name: string;
  readonly md5: string | undefined;
  /** Infinity: not told yet. */
  size: number;
  received: Buffer;
}

type Answer = { status: number; body?: unknown; bytes?: Buffer; headers?: Record<string, string> };

const failure = (status: number, reason: string): Answer => ({ status, body: { error: { code: status, message: reason, errors: [{ reason }] } } });
const NO_OBJECT = failure(404, 'notFound');

/**
 * The part of Cloud Storage's JSON API that Holdfast uses, as its documents describe it, with one bucket: strict where
 * the emulator is not. Tokens are checked by their signature, listings start at startOffset, uploads resume, hashes count.
 */
export async function startGcsStandIn(bucket: string): Promise<GcsStandIn> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const state = new StandInState(bucket, publicKey);
  const server = createServer((request, response) => {
    answerTo(request, response).catch((error: Error) => response.destroy(error));
  });
  const answerTo = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const seen: SeenRequest = {
      method: request.method ?? '', url: new URL(request.url ?? '', 'http://stand-in'), headers: request.headers, bytes: 0,
    };
    standIn.seen.push(seen);
    const meddling = standIn.meddle(seen);
    const { socket } = request;
    const body = await bodyOf(request, seen, typeof meddling === 'object' && 'cutAfter' in meddling ? meddling.cutAfter : Infinity);
    if (meddling === 'silence') return;
    if (meddling !== undefined && (meddling === 'cut' || 'cutAfter' in meddling)) {
      state.keepPart(seen.url, body);
      socket.destroy();
      return;
    }
    const answer = meddling ?? state.answer(seen, body, standIn.endpoint);
    response.writeHead(answer.status, answer.headers);
    const content = 'bytes' in answer ? answer.bytes : answer.body;
    response.end(typeof content === 'object' && !Buffer.isBuffer(content) ? JSON.stringify(content) : content);
  };
  server.on('connection', () => {
    standIn.connections++;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const standIn: GcsStandIn = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: {
      type: 'service_account', project_id: 'p', private_key_id: '1', client_email: 'backup@p.iam.gserviceaccount.com', client_id: '1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    },
    objects: state.objects, seen: [], connections: 0, meddle: () => undefined,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
  return standIn;
}

async function bodyOf(request: IncomingMessage, seen: SeenRequest, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      seen.bytes += chunk.length;
      if (seen.bytes >= most) break;
    }
  } catch {
    // The client went away: what came is what there is.
  }
  return Buffer.concat(chunks);
}

class StandInState {
  readonly objects = new Map<string, { bytes: Buffer; generation: string }>();
  readonly #uploads = new Map<string, Upload>();
  readonly #bucket: string;
  readonly #key: KeyObject;
  #count = 0;

  constructor(bucket: string, key: KeyObject) {
    this.#bucket = bucket;
    this.#key = key;
  }

  answer(seen: SeenRequest, body: Buffer, endpoint: string): Answer {
    const [, upload, bucket, name] = /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(seen.url.pathname) ?? [];
    if (bucket === undefined) return failure(501, 'notImplemented');
    if (!this.#isSigned(seen.headers.authorization)) return failure(401, 'authError');
    if (bucket !== this.#bucket) return NO_OBJECT;
    if (upload !== undefined) return this.#upload(seen, body, endpoint);
    if (name === undefined) return this.#list(seen.url.searchParams);
    return this.#object(seen, decodeURIComponent(name));
  }

  /** What came of an upload before its connection broke. */
  keepPart(url: URL, body: Buffer): void {
    const upload = this.#uploads.get(url.searchParams.get('upload_id') ?? '');
    // The service keeps multiples of 256 KiB.
    if (upload) upload.received = Buffer.concat([upload.received, body.subarray(0, body.length - body.length % 262_144)]);
  }

  #isSigned(header = ''): boolean {
    const [head = '', claims = '', signature = ''] = header.replace(/^Bearer /, '').split('.');
    const scope = (JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}') as { scope?: string }).scope ?? '';
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    return scope.includes('devstorage') && verify.verify(this.#key, signature, 'base64url');
  }

  #list(query: URLSearchParams): Answer {
    const from = query.get('pageToken') ?? query.get('startOffset') ?? '';
    const names = [...this.objects.keys()].filter((name) => name.startsWith(query.get('prefix') ?? '') && name >= from).toSorted();
    const limit = Math.min(1000, Number(query.get('maxResults') ?? 1000));
    const items = names.slice(0, limit).map((name) => ({ name, size: String(this.objects.get(name)?.bytes.length) }));
    const next = names[limit];
    return { status: 200, body: { ...(items.length > 0 && { items }), ...(next !== undefined && { nextPageToken: next }) } };
  }

  #object({ method, url, headers }: SeenRequest, name: string): Answer {
    const object = this.objects.get(name);
    if (object === undefined) return NO_OBJECT;
    if (method === 'DELETE') {
      this.objects.delete(name);
      return { status: 204 };
    }
    const wanted = url.searchParams.get('ifGenerationMatch');
    if (wanted !== null && wanted !== object.generation) return failure(412, 'conditionNotMet');
    const { bytes, generation } = object;
    if (url.searchParams.get('alt') !== 'media') return { status: 200, body: { size: String(bytes.length), generation } };
    const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? [];
    if (first === '' && last === '') return { status: 200, bytes };
    const start = first === '' ? Math.max(0, bytes.length - Number(last)) : Number(first);
    if (start >= bytes.length) return { status: 416 };
    return { status: 206, bytes: bytes.subarray(start, first === '' ? undefined : Number(last) + 1) };
  }

  #upload({ method, url, headers }: SeenRequest, body: Buffer, endpoint: string): Answer {
    if (method === 'DELETE') return { status: this.#uploads.delete(url.searchParams.get('upload_id') ?? '') ? 499 : 404 };
    if (method === 'PUT') return this.#goOn(url, headers, body);
    if (url.searchParams.get('uploadType') === 'multipart') return this.#multipart(headers['content-type'] ?? '', body);
    const { name, md5Hash: md5 } = JSON.parse(body.toString()) as { name: string; md5Hash?: string };
    const id = String(++this.#count);
    const size = Number(headers['x-upload-content-length'] ?? Infinity);
    this.#uploads.set(id, { name, md5, size, received: Buffer.alloc(0) });
    return { status: 200, headers: { location: `${endpoint}${url.pathname}?uploadType=resumable&upload_id=${id}` } };
  }

  #multipart(type: string, body: Buffer): Answer {
    const boundary = `--${/boundary=(\S+)/.exec(type)?.[1] ?? ''}`;
    const second = body.indexOf(boundary, boundary.length);
    const resource = body.subarray(body.indexOf('\r\n\r\n') + 4, second - 2).toString();
    const content = body.subarray(body.indexOf('\r\n\r\n', second) + 4, body.lastIndexOf(`\r\n${boundary}--`));
    const { name, md5Hash } = JSON.parse(resource) as { name: string; md5Hash: string };
    return this.#store({ name, received: content, md5: md5Hash });
  }

  #goOn(url: URL, headers: IncomingMessage['headers'], body: Buffer): Answer {
    const upload = this.#uploads.get(url.searchParams.get('upload_id') ?? '');
    if (upload === undefined) return { status: 410 };
    const [, first, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (this.objects.has(upload.name) && upload.received.length === upload.size) return this.#store(upload);
    if (total !== undefined && total !== '*') upload.size = Number(total);
    if (first !== undefined && Number(first) !== upload.received.length) return failure(400, 'invalid');
    upload.received = Buffer.concat([upload.received, body]);
    const { length } = upload.received;
    if (length >= upload.size) return this.#store(upload);
    // All parts but the last are multiples of 256 KiB.
    if (upload.size === Infinity && length % 262_144 !== 0) return failure(400, 'invalid');
    return { status: 308, headers: length === 0 ? {} : { range: `bytes=0-${length - 1}` } };
  }

  #store({ name, received: bytes, md5 }: Pick<Upload, 'name' | 'received' | 'md5'>): Answer {
    const md5Hash = createHash('md5').update(bytes).digest('base64');
    if (md5 !== undefined && md5Hash !== md5) return failure(400, 'invalid');
    const generation = String(++this.#count);
    this.objects.set(name, { bytes, generation });
    return { status: 200, body: { name, generation, md5Hash } };
  }
}
