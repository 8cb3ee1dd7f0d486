import { HoldfastError, isHoldfastError } from '../../../domain/index.ts';
import { retry, type RandomBytes, type Sleep } from '../../../runtime/index.ts';
import { USUAL_ATTEMPTS, type Attempts } from '../../../rest/index.ts';
import { IMMUTABLE_IDS, type GraphCall, type GraphClient } from './graphClient.ts';
import { graphError, oddAnswer, problemOf } from './graphErrors.ts';

/** Fact 8. */
const MOST_REQUESTS = 20;
/** Fact 6: so many of a batch run at the same time, each of which counts as a request of its own. */
const AT_ONCE = 4;

/** One reading request of a batch. `path` begins below the version. */
export interface BatchRequest {
  readonly path: string;
  readonly prefer?: readonly string[];
}

/** What became of it: the document, or the error. Errors of class `retry` were tried again and stayed. */
export type BatchResult =
  | { readonly document: Readonly<Record<string, unknown>> }
  | { readonly error: HoldfastError };

export interface BatchOptions extends GraphCall {
  readonly random: RandomBytes;
  readonly sleep: Sleep;
  readonly attempts?: Attempts | undefined;
}

/**
 * Reads many documents in few requests: up to twenty each. Every inner request is judged by its own status, and those that may succeed later are
 * sent again without the others. Results come in the order of the requests.
 */
export async function batch(client: GraphClient, requests: readonly BatchRequest[], options: BatchOptions): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for (let start = 0; start < requests.length; start += MOST_REQUESTS) {
    results.push(...await batchOnce(client, requests.slice(start, start + MOST_REQUESTS), options));
  }
  return results;
}

async function batchOnce(client: GraphClient, requests: readonly BatchRequest[], options: BatchOptions): Promise<BatchResult[]> {
  const results = new Map<number, BatchResult>();
  const { random, sleep, signal, attempts = USUAL_ATTEMPTS } = options;
  try {
    await retry(async () => {
      const open = requests.map((request, place) => ({ request, place }))
        .filter(({ place }) => !results.has(place) || transient(results.get(place)) !== undefined);
      for (const [place, result] of await send(client, open, options)) results.set(place, result);
      const waiting = [...results.values()].flatMap((result) => transient(result) ?? []);
      const [first] = waiting;
      if (first === undefined) return;
      const wait = Math.max(...waiting.map((error) => Number(error.data['retryAfterMs'] ?? 0)));
      throw new HoldfastError(first.code, 'retry', first.message, { data: { ...first.data, retryAfterMs: wait } });
    }, { ...attempts, random, sleep, signal, jitter: 'full' });
  } catch (error) {
    // Of inner requests it is known which failed; an error of the whole batch is of no one in particular.
    if (requests.some((_request, place) => !results.has(place))) throw error;
  }
  return requests.map((_request, place) => results.get(place) ?? { error: oddAnswer('all parts of a batch') });
}

/** The error of a request that may do better next time. */
function transient(result: BatchResult | undefined): HoldfastError | undefined {
  return result !== undefined && 'error' in result && result.error.retryClass === 'retry' ? result.error : undefined;
}

async function send(
  client: GraphClient, open: readonly { readonly request: BatchRequest; readonly place: number }[], options: BatchOptions,
): Promise<Map<number, BatchResult>> {
  const { purpose, budget, signal } = options;
  const body = {
    requests: open.map(({ request, place }) => ({
      id: String(place), method: 'GET', url: request.path, headers: { Prefer: [IMMUTABLE_IDS, ...request.prefer ?? []].join(', ') },
    })),
  };
  const use = { requests: open.length, slots: Math.min(AT_ONCE, open.length) };
  const { responses } = await client.post('/$batch', body, { purpose, budget, signal, use, repeatable: true }).catch((error: unknown) => {
    throw triedEnough(error);
  });
  if (!Array.isArray(responses)) throw oddAnswer('the parts of a batch');
  const results = new Map<number, BatchResult>();
  for (const response of responses as unknown[]) {
    const [place, result] = readResponse(response, purpose);
    results.set(place, result);
  }
  for (const { place } of open) if (!results.has(place)) results.set(place, { error: oddAnswer('all parts of a batch') });
  return results;
}

/** The whole batch was tried often enough by the client. */
function triedEnough(error: unknown): unknown {
  if (!isHoldfastError(error) || error.retryClass !== 'retry') return error;
  return new HoldfastError(error.code, 'resume', error.message, { data: error.data, cause: error });
}

function readResponse(response: unknown, purpose: string): [place: number, result: BatchResult] {
  const { id, status, headers, body } = (response ?? {}) as { id?: unknown; status?: unknown; headers?: unknown; body?: unknown };
  const place = Number(id);
  if (!Number.isInteger(place) || typeof status !== 'number') throw oddAnswer('the parts of a batch');
  if (status >= 200 && status < 300) {
    return [place, typeof body === 'object' && body !== null ? { document: body as Record<string, unknown> } : { error: oddAnswer('a document') }];
  }
  const error = graphError(problemOf(status, body), purpose);
  const named = Object.entries((headers ?? {}) as Record<string, unknown>).find(([name]) => name.toLowerCase() === 'retry-after');
  const seconds = Number(named?.[1] ?? 0);
  if (error.retryClass !== 'retry' || !(seconds > 0)) return [place, { error }];
  return [place, { error: new HoldfastError(error.code, 'retry', error.message, { data: { ...error.data, retryAfterMs: Math.ceil(seconds * 1000) } }) }];
}
