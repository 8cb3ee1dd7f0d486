import { HoldfastError, judge, type Access, type Principal } from '../domain/index.ts';

/** Lets a caller in, or throws `api/unknown-caller` or `api/forbidden`. A route that does not say who may call it is for nobody. */
export function admit(access: Access | undefined, principal: Principal | undefined): void {
  const verdict = access === undefined ? 'refused' : judge(access, principal);
  if (verdict === 'allowed') return;
  if (verdict === 'unknown') throw new HoldfastError('api/unknown-caller', 'input', 'Sign in first, or send a token that is valid.');
  throw new HoldfastError('api/forbidden', 'input', 'You may not do this. Ask an administrator of your account for the right.');
}
