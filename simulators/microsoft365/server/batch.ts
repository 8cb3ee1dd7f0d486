import type { Answer } from './dispatch.ts';
import type { IncomingRequest } from './call.ts';
import { badRequest } from './graphFailure.ts';
import { ok } from './reply.ts';
import type { Reply } from './reply.ts';
import { textOf } from '../odata/textOf.ts';

/** Fact 8. */
const MOST_REQUESTS = 20;
/** Fact 6: this many of a batch run at a time. */
const AT_A_TIME = 4;

interface BatchRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly dependsOn: readonly string[];
}

interface BatchResponse {
  readonly id: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Answers a $batch: 200 whatever its requests end in; 400 where it is malformed itself; 424 behind a failed dependency. */
export async function answerBatch(request: IncomingRequest, answer: (inner: IncomingRequest) => Promise<Answer>): Promise<Reply> {
  if (request.method !== 'POST') throw badRequest('A batch is sent by POST.');
  if (request.batched) throw badRequest('A batch may not be inside of a batch.');
  const requests = readBatch(request);
  const responses = new Map<string, BatchResponse>();
  const authorization = request.headers['authorization'] ?? '';
  let waiting = requests;
  while (waiting.length > 0) {
    const ready = waiting.filter(({ dependsOn }) => dependsOn.every((id) => responses.has(id)));
    if (ready.length === 0) throw badRequest('The dependencies of the requests form a circle.');
    // Chained requests run one by one, unordered ones four at a time.
    const now = ready.slice(0, AT_A_TIME);
    const done = await Promise.all(now.map((inner) => runOne(inner, responses, authorization, answer)));
    for (const response of done) responses.set(response.id, response);
    waiting = waiting.filter((inner) => !now.includes(inner));
  }
  return ok({ responses: [...responses.values()] });
}

async function runOne(
  inner: BatchRequest, responses: ReadonlyMap<string, BatchResponse>, authorization: string, answer: (request: IncomingRequest) => Promise<Answer>,
): Promise<BatchResponse> {
  const failed = inner.dependsOn.some((id) => (responses.get(id)?.status ?? 500) >= 400);
  if (failed) {
    const error = { code: 'FailedDependency', message: 'A request on which this one depends failed.' };
    return { id: inner.id, status: 424, headers: { 'Content-Type': 'application/json' }, body: { error } };
  }
  const { reply, finish } = await answer({
    method: inner.method, url: `/v1.0/${inner.url.replace(/^\//, '')}`, headers: { ...inner.headers, authorization }, body: bodyBytes(inner), batched: true,
  });
  finish();
  const type = reply.json === undefined ? reply.headers?.['Content-Type'] ?? 'application/octet-stream' : 'application/json';
  const body = reply.json ?? (reply.bytes === undefined ? undefined : Buffer.from(reply.bytes).toString('base64'));
  return { id: inner.id, status: reply.status, headers: { ...reply.headers, ...(body === undefined ? {} : { 'Content-Type': type }) }, ...(body === undefined ? {} : { body }) };
}

function bodyBytes({ body, headers }: BatchRequest): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array();
  const isJson = /^application\/json\b/i.test(headers['content-type'] ?? '');
  if (isJson) return Buffer.from(JSON.stringify(body));
  // What is not JSON travels as base64; a text/plain MIME is base64 itself and is sent as it is.
  return /^text\/plain\b/i.test(headers['content-type'] ?? '') ? Buffer.from(textOf(body)) : Buffer.from(textOf(body), 'base64');
}

function readBatch(request: IncomingRequest): BatchRequest[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(request.body).toString('utf8'));
  } catch (error) {
    throw badRequest(`Unable to read JSON request payload. ${String(error)}`);
  }
  const requests = (parsed as { requests?: unknown } | null)?.requests;
  if (!Array.isArray(requests) || requests.length === 0) throw badRequest('A batch needs a list of requests.');
  if (requests.length > MOST_REQUESTS) throw badRequest(`Number of batch request steps exceeds the maximum value of ${MOST_REQUESTS}.`);
  const read = requests.map(readOne);
  const ids = new Set(read.map(({ id }) => id));
  if (ids.size !== read.length) throw badRequest('Ids of batched requests must be unique.');
  for (const { id, dependsOn } of read) {
    if (dependsOn.some((other) => other === id || !ids.has(other))) throw badRequest(`Request '${id}' depends on one that is not in the batch.`);
  }
  return read;
}

function readOne(entry: unknown): BatchRequest {
  const { id, method, url, headers = {}, body, dependsOn = [] } = (entry ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') throw badRequest('A batched request needs an id.');
  if (typeof method !== 'string' || typeof url !== 'string') throw badRequest(`Request '${id}' needs a method and a url.`);
  if (/^https?:/i.test(url)) throw badRequest(`The url of request '${id}' must be relative.`);
  if (typeof headers !== 'object' || headers === null || !Array.isArray(dependsOn)) throw badRequest(`Request '${id}' is malformed.`);
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  if (body !== undefined && lower['content-type'] === undefined) throw badRequest(`Request '${id}' has a body but no Content-Type.`);
  return { id, method: method.toUpperCase(), url, headers: lower, body, dependsOn: dependsOn.map(String) };
}
