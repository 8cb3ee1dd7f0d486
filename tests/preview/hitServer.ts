import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HitServer {
  readonly url: string;
  /** Paths that were asked for besides the pages, oldest first; may be emptied. */
  readonly hits: string[];
  /** Puts a page at a path. */
  serve(path: string, html: string, headers?: Readonly<Record<string, string>>): string;
  stop(): Promise<void>;
}

/** Serves pages, and notes everything else that is asked for. */
export async function startHitServer(): Promise<HitServer> {
  const hits: string[] = [];
  const pages = new Map<string, { readonly html: string; readonly headers: Readonly<Record<string, string>> }>();
  const server = createServer(({ url = '' }, response) => {
    const page = pages.get(url);
    if (page === undefined) hits.push(url);
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8', ...page?.headers }).end(page?.html ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url, hits,
    serve: (path, html, headers = {}) => {
      pages.set(path, { html, headers });
      return url + path;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
