import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';
import { printable } from './formatText.ts';

/** Wrong usage: the command line itself has to be written differently. Ends with exit code 2. */
export function usageError(what: string, message: string, data: Record<string, string | number> = {}): HoldfastError {
  return new HoldfastError(`usage/${what}`, 'input', message, { data });
}

export function isUsageError(error: unknown): boolean {
  return isHoldfastError(error) && error.code.startsWith('usage/');
}

export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly data: HoldfastError['data'] };
}

/** What a program reads of an error. */
export function errorDocument(error: unknown): ErrorDocument {
  if (isHoldfastError(error)) return { error: { code: error.code, message: error.message, data: error.data } };
  return { error: { code: 'internal/unexpected', message: messageOf(error), data: {} } };
}

/** What a person reads of an error. */
export function errorText(error: unknown): string {
  if (isHoldfastError(error)) {
    const [first = '', ...more] = error.message.split('\n').map(printable);
    return `${[`holdfast: ${first} [${error.code}]`, ...more].join('\n')}\n`;
  }
  const trace = error instanceof Error && error.stack !== undefined ? error.stack : String(error);
  return `holdfast: Something went wrong that Holdfast did not expect. Please report it with these lines.\n${trace}\n`;
}
