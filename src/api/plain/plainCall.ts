import type { Principal } from '../../domain/index.ts';
import type { CallContext } from '../apiServices.ts';

/** What a handler of requests gets. */
export interface PlainCall {
  readonly request: Request;
  readonly url: URL;
  readonly context: CallContext;
  /** Who calls; only for routes that are not for anyone. */
  readonly caller: () => Principal;
}

/** Answers a request of a plain route. Errors are thrown. */
export type PlainHandler = (call: PlainCall) => Promise<Response>;
