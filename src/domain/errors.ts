/**
 * How a caller may react to an error:
 * `retry` the same call may succeed later · `resume` start the run again from its last checkpoint ·
 * `input` a person must change what they gave · `never` nothing here will make it succeed.
 */
export type RetryClass = 'retry' | 'resume' | 'input' | 'never';

const MARK = Symbol.for('holdfast.error');

/** The one error of the product: a stable code for programs, a sentence for a person that says what to do. */
export class HoldfastError extends Error {
  readonly [MARK] = true;
  readonly code: string;
  readonly retryClass: RetryClass;
  /** JSON-safe facts about the failure; never a secret. */
  readonly data: Readonly<Record<string, string | number | boolean | null>>;

  constructor(
    code: string,
    retryClass: RetryClass,
    message: string,
    options: { data?: Record<string, string | number | boolean | null>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HoldfastError';
    this.code = code;
    this.retryClass = retryClass;
    this.data = options.data ?? {};
  }
}

/** Told by a marker symbol, so that two copies of this module agree. */
export function isHoldfastError(error: unknown): error is HoldfastError {
  return typeof error === 'object' && error !== null && MARK in error;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
