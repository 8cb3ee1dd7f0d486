import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { HoldfastError } from '../domain/index.ts';

/** A file that is given to a caller. */
export interface ServedFile {
  readonly path: string;
  readonly size: number;
  readonly type: string;
  /** The name that it is saved under: ASCII letters, digits, '.', '-' and '_'. */
  readonly name: string;
  /** Names the content: another content has another tag. Without quotes. */
  readonly tag: string;
}

interface Span {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * A file as answer to `request`: whole, or the one range that it asks for (RFC 9110), under If-Range, If-None-Match and HEAD. Several
 * ranges at once are answered with all of it, as the standard allows. Errors: `api/no-such-range`.
 */
export function fileResponse(request: Request, file: ServedFile, onClose: () => void): Response {
  const etag = `"${file.tag}"`;
  const headers = new Headers({
    'content-type': file.type, 'content-disposition': `attachment; filename="${file.name}"`, 'accept-ranges': 'bytes', etag,
    'cache-control': 'private, no-cache',
  });
  if (request.headers.get('if-none-match') === etag) {
    onClose();
    return new Response(null, { status: 304, headers });
  }
  const ifRange = request.headers.get('if-range');
  const span = ifRange === null || ifRange === etag ? spanOf(request.headers.get('range'), file.size) : undefined;
  if (span === 'none') {
    onClose();
    throw new HoldfastError('api/no-such-range', 'input', `The file has ${file.size} bytes; the range lies outside of it.`, { data: { size: file.size } });
  }
  const { start, end } = span ?? { start: 0, end: file.size - 1 };
  headers.set('content-length', String(end - start + 1));
  if (span !== undefined) headers.set('content-range', `bytes ${start}-${end}/${file.size}`);
  const status = span === undefined ? 200 : 206;
  if (request.method === 'HEAD' || file.size === 0) {
    onClose();
    return new Response(null, { status, headers });
  }
  const stream = createReadStream(file.path, { start, end });
  stream.once('close', onClose);
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, { status, headers });
}

/** undefined: all of it; 'none': it cannot be given. */
function spanOf(header: string | null, size: number): Span | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'none' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'none' : { start, end };
}
