import { implement } from '@orpc/server';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { admit } from './admit.ts';
import type { CallContext } from './apiServices.ts';
import { contract } from './contract/index.ts';

/**
 * What every route is made with. The dispatcher has let the caller in already, by its own list of routes; this asks once more by the route
 * that the library found, so that no difference between the two is a way in.
 */
export const implementer = implement(contract).$context<CallContext>().use(({ context, procedure, next }) => {
  admit(procedure['~orpc'].meta.access, context);
  return next();
});

/** Who calls a route that is not for anyone. */
export function callerOf({ principal }: CallContext): Principal {
  if (principal === undefined) throw new HoldfastError('api/unknown-caller', 'input', 'Sign in first, or send a token that is valid.');
  return principal;
}
