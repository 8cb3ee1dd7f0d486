import { expect, test } from 'vitest';
import { judge, LIMITS, opens, PERMISSIONS, SCOPES, sees, type Access, type Principal } from './access.ts';

const person = (more: Partial<Principal> = {}): Principal => ({
  userId: 'u', accountId: 'a', name: 'N', email: 'n@example.test', role: 'custom', permissions: [], services: undefined, limits: [], via: { kind: 'session', sessionId: 's' }, ...more,
});
const token = (...scopes: readonly string[]): Principal['via'] => ({ kind: 'token', tokenId: 't', scopes });

test('nobody in particular is let in where anyone is, and asked who they are elsewhere', () => {
  expect(judge({ who: 'anyone' }, undefined)).toBe('allowed');
  for (const access of [{ who: 'user' }, { who: 'permitted', permission: 'tasks.view' }, { who: 'administrator' }, { who: 'owner' }] as const) {
    expect(judge(access, undefined)).toBe('unknown');
  }
  expect(judge({ who: 'operator' }, undefined)).toBe('refused');
  expect(judge({ who: 'operator' }, person({ role: 'owner' }))).toBe('refused');
});

test.each(PERMISSIONS)('%s is had by who was given it, and by administrators', (permission) => {
  const access: Access = { who: 'permitted', permission };
  expect(judge(access, person({ permissions: [permission] }))).toBe('allowed');
  expect(judge(access, person({ permissions: PERMISSIONS.filter((other) => other !== permission) }))).toBe('refused');
  for (const role of ['owner', 'administrator'] as const) expect(judge(access, person({ role }))).toBe('allowed');
});

test('a token has what its maker has, within its scopes', () => {
  const access: Access = { who: 'permitted', permission: 'tasks.view' };
  expect(judge(access, person({ role: 'owner', via: token('tasks.view') }))).toBe('allowed');
  expect(judge(access, person({ role: 'owner', via: token(...SCOPES.filter((scope) => scope !== 'tasks.view')) }))).toBe('refused');
  expect(judge(access, person({ via: token(...SCOPES) }))).toBe('refused');
  expect(judge({ who: 'administrator' }, person({ role: 'administrator', via: token('administer') }))).toBe('allowed');
  expect(judge({ who: 'administrator' }, person({ role: 'administrator', via: token(...PERMISSIONS) }))).toBe('refused');
  expect(judge({ who: 'administrator' }, person({ via: token(...SCOPES) }))).toBe('refused');
  expect(judge({ who: 'user' }, person({ via: token() }))).toBe('allowed');
  expect(judge({ who: 'user', session: true }, person({ role: 'owner', via: token(...SCOPES) }))).toBe('refused');
});

test('what is the owner\'s is nobody else\'s', () => {
  expect(judge({ who: 'owner' }, person({ role: 'owner' }))).toBe('allowed');
  expect(judge({ who: 'owner' }, person({ role: 'administrator' }))).toBe('refused');
  expect(judge({ who: 'owner' }, person({ permissions: PERMISSIONS }))).toBe('refused');
});

test.each(LIMITS)('%s keeps a user out of all but what is open in spite of it', (limit) => {
  const limited = person({ role: 'owner', limits: [limit] });
  for (const access of [{ who: 'user' }, { who: 'permitted', permission: 'tasks.view' }, { who: 'administrator' }, { who: 'owner' }] as const) expect(judge(access, limited)).toBe(limit);
  expect(judge({ who: 'anyone' }, limited)).toBe('allowed');
  expect(judge({ who: 'user', despite: [limit] }, limited)).toBe('allowed');
  const others = LIMITS.filter((other) => other !== limit);
  expect(judge({ who: 'user', despite: others }, limited)).toBe(limit);
  expect(judge({ who: 'owner', despite: [limit] }, person({ role: 'owner', limits: [...others, limit] }))).toBe(others[0]);
  // Who has no right at all does not learn more.
  expect(judge({ who: 'owner' }, person({ limits: [limit] }))).toBe('refused');
});

test('what the owner does in person is not done through a token', () => {
  expect(judge({ who: 'owner', session: true }, person({ role: 'owner' }))).toBe('allowed');
  expect(judge({ who: 'owner', session: true }, person({ role: 'owner', via: token(...SCOPES) }))).toBe('refused');
  expect(judge({ who: 'owner', session: true }, person({ role: 'administrator' }))).toBe('refused');
});

test('a permission that is used in person alone is not had by a token', () => {
  const access: Access = { who: 'permitted', permission: 'tasks.activate', session: true };
  expect(judge(access, person({ role: 'administrator' }))).toBe('allowed');
  expect(judge(access, person({ permissions: ['tasks.activate'] }))).toBe('allowed');
  expect(judge(access, person({ role: 'owner', via: token(...SCOPES) }))).toBe('refused');
});

test('things of another account or of a service that is not theirs are there for nobody, and what is limited is opened by the owner alone', () => {
  const place = { accountId: 'a', service: 's' };
  for (const role of ['owner', 'administrator', 'custom'] as const) {
    expect([sees(person({ role }), place), opens(person({ role }), place)]).toEqual([true, true]);
    expect([sees(person({ role, accountId: 'b' }), place), opens(person({ role, accountId: 'b' }), place)]).toEqual([false, false]);
    expect([sees(person({ role, services: ['t'] }), place), opens(person({ role, services: ['t'] }), place)]).toEqual([false, false]);
    expect([sees(person({ role, services: ['t', 's'] }), place), sees(person({ role, services: [] }), place)]).toEqual([true, false]);
    expect(opens(person({ role }), { ...place, limited: true })).toBe(role === 'owner');
    expect(sees(person({ role }), { ...place, limited: true })).toBe(true);
  }
});
