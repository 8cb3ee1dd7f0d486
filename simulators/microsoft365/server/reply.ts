import { GraphFailure } from './graphFailure.ts';

/** An answer before it is put on the wire. `json` and `bytes` exclude each other. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
}

export function ok(json: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, json, headers };
}

export function created(json: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 201, json, headers };
}

export const NO_CONTENT: Reply = { status: 204 };

/** Errors of the simulator itself are answered as 500 with their text, so that a test sees them instead of a hang. */
export function failureReply(error: unknown, requestId: string, clientRequestId: string | undefined, now: number): Reply {
  const failure = error instanceof GraphFailure
    ? error
    : new GraphFailure(500, 'SimulatorBroken', error instanceof Error ? error.stack ?? error.message : String(error));
  const innerError = {
    date: new Date(now).toISOString().slice(0, 19),
    'request-id': requestId,
    'client-request-id': clientRequestId ?? requestId,
  };
  return { status: failure.status, headers: failure.headers, json: { error: { code: failure.code, message: failure.message, innerError } } };
}
