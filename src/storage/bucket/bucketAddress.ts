import { HoldfastError } from '../../domain/index.ts';

/** The parts of `scheme://bucket/prefix?parameter=…`. */
export interface BucketAddress {
  readonly bucket: string;
  /** Without '/' at either end; may be empty. */
  readonly prefix: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** How addresses of one kind look. */
export interface AddressForm {
  readonly scheme: string;
  readonly example: string;
  readonly bucket: RegExp;
  readonly parameters: readonly string[];
}

const SEGMENT = /^[A-Za-z0-9._-]{1,255}$/;
const LONGEST_PREFIX = 400;

/** Takes an address apart. Throws `storage/bad-location` (class input) with a message that repeats nothing that could be a secret. */
export function parseBucketAddress(url: string, form: AddressForm): BucketAddress {
  const parsed = URL.parse(url);
  const wrong = (what: string): HoldfastError => badAddress(`${what} It looks like ${form.example}.`);
  if (parsed === null || !url.slice(form.scheme.length).startsWith('://')) throw wrong('This address cannot be read.');
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') {
    throw wrong('An address holds no user, no password and no "#": secrets come from the environment.');
  }
  if (!form.bucket.test(parsed.host)) throw wrong('The name after "//" is not one that the service allows.');
  const prefix = parsed.pathname.replace(/^\//, '').replace(/\/$/, '');
  const segments = prefix === '' ? [] : prefix.split('/');
  const sound = segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..');
  if (!sound || prefix.length > LONGEST_PREFIX) {
    throw wrong('The folder in an address consists of parts of letters, digits, ".", "_" and "-" with "/" between them.');
  }
  for (const name of parsed.searchParams.keys()) {
    if (!form.parameters.includes(name)) {
      throw wrong(`Behind the "?" of an address only ${form.parameters.join(' and ')} may stand: secrets come from the environment.`);
    }
  }
  return { bucket: parsed.host, prefix, parameters: new Map(parsed.searchParams) };
}

/** An endpoint that a person gave, without '/' at its end. Clear text is for this machine only. Throws `storage/bad-location`. */
export function parseEndpoint(text: string): string {
  const url = URL.parse(text);
  const wrong = (what: string): HoldfastError => badAddress(`${what} An endpoint looks like https://host or https://host:port/path.`);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw wrong('The endpoint cannot be read.');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw wrong('An endpoint holds no user, no password, no "?" and no "#".');
  }
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !here) throw wrong('An endpoint on another machine needs https.');
  return url.href.replace(/\/+$/, '');
}

export function badAddress(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('storage/bad-location', 'input', message, { cause });
}

/** `storage/no-credentials` (class input). */
export function noCredentials(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('storage/no-credentials', 'input', message, { cause });
}
