import { z } from 'zod';
import { route } from './route.ts';
import { Id, Name, PageInput, pageOf, Scope, Time } from './schemas.ts';

const TAGS = ['Tokens for programs'];

export const Token = z.object({
  id: Id, name: z.string(), scopes: z.array(Scope), createdAt: Time, expiresAt: Time, lastUsedAt: Time.optional(),
});

export const tokens = {
  list: route({ who: 'user', session: true }, { method: 'GET', path: '/api/v1/tokens', summary: 'One\'s own tokens', tags: TAGS })
    .input(PageInput).output(pageOf(Token)),

  make: route({ who: 'user', session: true }, {
    method: 'POST', path: '/api/v1/tokens', summary: 'Make a token', tags: TAGS, successStatus: 201,
    description: 'A token has the rights of who made it, limited to its scopes. It is shown once.',
  }).input(z.object({ name: Name, scopes: z.array(Scope).min(1).max(50), days: z.int().min(1).max(366) })).output(Token.extend({ token: z.string() })),

  revoke: route({ who: 'user', session: true }, { method: 'DELETE', path: '/api/v1/tokens/{id}', summary: 'Revoke a token', tags: TAGS, successStatus: 204 })
    .input(z.object({ id: Id })).output(z.void()),
};
