import { expect, test } from 'vitest';
import { signInError } from './signInErrors.ts';

test.each([
  [7000222, 401, 'microsoft365/secret-expired', /has expired\. Make a new one/],
  [7000215, 401, 'microsoft365/wrong-secret', /value of the secret, not its id/],
  [90002, 400, 'microsoft365/unknown-tenant', /no tenant "contoso"/],
  [700016, 400, 'microsoft365/unknown-application', /no application/],
  [700027, 401, 'microsoft365/wrong-certificate', /certificate/],
  [7000112, 400, 'microsoft365/application-disabled', /switched off/],
  [50034, 400, 'microsoft365/sign-in-refused', /AADSTS50034/],
])('AADSTS%i is told in a sentence that says what to do, without the words of the answer', (number, status, code, says) => {
  const error = signInError(status, { error: 'invalid_client', error_codes: [number], error_description: `AADSTS${number}: secret words` }, 'contoso');
  expect(error).toMatchObject({ code, retryClass: 'input' });
  expect(error.message).toMatch(says);
  expect(error.message).not.toContain('secret words');
});

test('a sign-in that is down is tried again', () => {
  expect([503, 429].map((status) => signInError(status, {}, 'contoso').retryClass)).toEqual(['retry', 'retry']);
  expect(signInError(400, { error: 'temporarily_unavailable' }, 'contoso').retryClass).toBe('retry');
});
