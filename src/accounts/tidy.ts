import type { AccountsContext } from './accountsContext.ts';

const DAY_MS = 86_400_000;
const MAIL_KEPT_MS = 30 * DAY_MS;
const CODES_KEPT_MS = 10 * 60_000;

/** Takes away what nobody needs any more: old mail, sessions and links that ran out, codes that are used up, answers to requests. */
export async function tidy({ database: { query }, clock }: AccountsContext): Promise<void> {
  const before = (ms: number): Date => new Date(clock.now() - ms);
  await query.deleteFrom('outbox').where('createdAt', '<', before(MAIL_KEPT_MS)).execute();
  await query.deleteFrom('sessions').where('expiresAt', '<', before(DAY_MS)).execute();
  await query.deleteFrom('verifications').where('expiresAt', '<', before(DAY_MS)).execute();
  await query.deleteFrom('emailChanges').where('expiresAt', '<', before(DAY_MS)).execute();
  await query.deleteFrom('authorisations').where('expiresAt', '<', before(0)).execute();
  await query.deleteFrom('idempotencyKeys').where('expiresAt', '<', before(0)).execute();
  await query.deleteFrom('usedCodes').where('usedAt', '<', before(CODES_KEPT_MS)).execute();
}
