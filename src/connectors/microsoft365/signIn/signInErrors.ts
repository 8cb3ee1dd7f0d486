import { HoldfastError } from '../../../domain/index.ts';

interface Kind {
  readonly code: string;
  readonly numbers: readonly number[];
  readonly message: (tenant: string) => string;
}

/** By Microsoft's own numbers (AADSTS…). */
const KINDS: readonly Kind[] = [
  {
    code: 'microsoft365/unknown-tenant', numbers: [90002, 900023, 90013, 700005],
    message: (tenant) => `Microsoft knows no tenant "${tenant}". Check the id or the domain of the tenant, and the cloud that it is in.`,
  },
  {
    code: 'microsoft365/unknown-application', numbers: [700016, 70001],
    message: (tenant) => `The tenant "${tenant}" has no application of this client id. Check the id, or have an administrator of that tenant give consent to the application.`,
  },
  {
    code: 'microsoft365/secret-expired', numbers: [7000222],
    message: () => 'The client secret has expired. Make a new one in the registration of the application, and use its value.',
  },
  {
    code: 'microsoft365/wrong-secret', numbers: [7000215, 7000216, 50012],
    message: () => 'The client secret is not valid. Use the value of the secret, not its id, and see whether it has expired or was removed.',
  },
  {
    code: 'microsoft365/wrong-certificate', numbers: [700027, 700024, 700021, 700023, 50013, 5000214],
    message: () => 'Microsoft does not accept the certificate. Check that this certificate is registered for the application and has not expired, and that the clock of this machine is right.',
  },
  {
    code: 'microsoft365/application-disabled', numbers: [7000112, 7000114],
    message: (tenant) => `The application is switched off in the tenant "${tenant}". Have an administrator switch it on, or register another.`,
  },
];

/** What the sign-in answered, in a sentence that says what to do. The answer's own text is left out but for its number: it names accounts and ids. */
export function signInError(status: number, body: unknown, tenant: string): HoldfastError {
  const { error_codes: codes, error } = (typeof body === 'object' && body !== null ? body : {}) as { error_codes?: unknown; error?: unknown };
  const numbers = Array.isArray(codes) ? codes.filter((code) => typeof code === 'number') : [];
  const data = { status, reason: numbers[0] === undefined ? '' : `AADSTS${numbers[0]}` };
  const kind = KINDS.find((one) => one.numbers.some((number) => numbers.includes(number)));
  if (kind !== undefined) return new HoldfastError(kind.code, 'input', kind.message(tenant), { data });
  if (status === 429 || status >= 500 || error === 'temporarily_unavailable') {
    return new HoldfastError('microsoft365/sign-in-unavailable', 'retry', `Microsoft's sign-in answers with status ${status}. Try again later.`, { data });
  }
  const why = data.reason === '' ? `status ${status}` : data.reason;
  return new HoldfastError('microsoft365/sign-in-refused', 'input',
    `Microsoft refuses to sign the application in (${why}). Check tenant, client id, and secret or certificate.`, { data });
}
