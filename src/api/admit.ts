import { HoldfastError, judge, LIMITS, type Access, type Limit, type Principal } from '../domain/index.ts';

const LIMIT_TEXTS: Readonly<Record<Limit, string>> = {
  'two-factor-needed': 'Your account asks for a second factor. Set it up first; then all is open to you.',
  'password-expired': 'Your password is older than your account allows. Set a new one first; then all is open to you.',
  'terminated': 'This account was terminated. Its owner can take that back until it is gone.',
};

/** What is known of who calls. */
export interface Caller {
  readonly principal: Principal | undefined;
  /** The request comes from who runs the service, as the route asks for it. */
  readonly operator: boolean;
}

/**
 * Lets a caller in, or throws `api/unknown-caller`, `api/forbidden`, or `accounts/…` with what limits the caller. A route that does not say who may
 * call it is for nobody.
 */
export function admit(access: Access | undefined, { principal, operator }: Caller): void {
  if (access?.who === 'operator') {
    if (operator) return;
    throw new HoldfastError('api/forbidden', 'input', 'Only who runs the service may read this: from the machine itself, by the name localhost, or with the token of its settings where the route takes it.');
  }
  const verdict = access === undefined ? 'refused' : judge(access, principal);
  if (verdict === 'allowed') return;
  const limit = LIMITS.find((one) => one === verdict);
  if (limit !== undefined) throw new HoldfastError(`accounts/${limit}`, 'input', LIMIT_TEXTS[limit]);
  if (verdict === 'unknown') throw new HoldfastError('api/unknown-caller', 'input', 'Sign in first, or send a token that is valid.');
  throw new HoldfastError('api/forbidden', 'input', 'You may not do this. Ask an administrator of your account for the right.');
}
