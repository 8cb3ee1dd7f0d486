import { ConnectionPool } from './connectionPool.ts';
import { ImapConnection } from './imapConnection.ts';
import { checkSettings, DEFAULT_CONNECTIONS, entityOf, type ImapSettings } from './imapSettings.ts';
import { ImapSource } from './sourceSession.ts';
import { ImapTarget, type TargetOptions } from './targetSession.ts';
import type { SourceSession, TargetSession } from '../contract.ts';

export { descriptor } from './descriptor.ts';
export { imapTaskService } from './taskService.ts';
export type { ImapSettings } from './imapSettings.ts';
export type { TargetOptions } from './targetSession.ts';

/** Connects and logs in. Throws HoldfastError imap/settings, imap/auth-failed, imap/tls, imap/unknown-host, imap/unavailable … */
export async function openSource(settings: ImapSettings, signal: AbortSignal): Promise<SourceSession> {
  const pool = await openPool(settings, signal);
  return new ImapSource(entityOf(settings), pool);
}

async function openPool(settings: ImapSettings, signal: AbortSignal): Promise<ConnectionPool> {
  checkSettings(settings);
  const limit = settings.connections ?? DEFAULT_CONNECTIONS;
  const pool = new ConnectionPool((abort) => ImapConnection.open(settings, abort), limit);
  // Wrong settings show now, not in the middle of a run.
  await pool.use(undefined, signal, async () => undefined);
  return pool;
}

/** Connects and logs in for a restore; throws as {@link openSource}. */
export async function openTarget(
  settings: ImapSettings, options: TargetOptions, signal: AbortSignal,
): Promise<TargetSession> {
  return new ImapTarget(await openPool(settings, signal), options);
}
