import type { Clock } from './clock.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * The service's log: one JSON document a line. Fields are chosen one by one by who logs: no header, body, query or
 * setting goes in whole, since each may hold a secret.
 */
export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export function jsonLogger(write: (line: string) => void, clock: Clock): Logger {
  const at = (level: string) => (event: string, fields: LogFields = {}): void => {
    write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), level, event, ...fields })}\n`);
  };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
