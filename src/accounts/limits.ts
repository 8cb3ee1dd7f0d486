import type { Limit } from '../domain/index.ts';

const DAY_MS = 86_400_000;

/** What limits are judged by: of the user and of the account. */
export interface LimitFacts {
  readonly twoFactorEnforced: boolean;
  readonly twoFactorEnabled: boolean;
  readonly passwordDays: number | null;
  readonly passwordSetAt: Date;
  readonly terminatedAt: Date | null;
}

/** What keeps the user out at the moment, the account's end first: it is the last one that could be mended. */
export function limitsOf(facts: LimitFacts, now: number): Limit[] {
  const limits: Limit[] = [];
  if (facts.terminatedAt !== null) limits.push('terminated');
  if (facts.passwordDays !== null && now >= facts.passwordSetAt.getTime() + facts.passwordDays * DAY_MS) limits.push('password-expired');
  if (facts.twoFactorEnforced && !facts.twoFactorEnabled) limits.push('two-factor-needed');
  return limits;
}
