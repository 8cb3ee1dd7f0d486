import { HoldfastError } from '../../domain/index.ts';

/** What an address like `s3://bucket/prefix?endpoint=…&region=…` says. */
export interface S3Location {
  readonly bucket: string;
  /** '' or with a '/' at its end: stands before each object's name. */
  readonly prefix: string;
  /** Where the service listens; undefined: Amazon's own, found by the region. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** The bucket is the first part of the path (true), or of the host name. */
  readonly pathStyle: boolean;
  /** Certificates (PEM) to trust in place of the system's. */
  readonly caFile: string | undefined;
  /** File with keys in place of the environment's. */
  readonly credentialsFile: string | undefined;
  /** The same once more as an address, in one spelling and without secrets. */
  readonly shown: string;
}

/** How such an address looks, for help and messages. */
export const S3_EXAMPLE = 's3://bucket/prefix?endpoint=https://host:port&region=name';

const PARAMETERS = ['endpoint', 'region', 'style', 'ca-file', 'credentials-file'];
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
const REGION = /^[A-Za-z0-9-]{1,64}$/;
/** What services document as safe in keys, and what needs no escape in the message. */
const PREFIX = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
const MAX_PREFIX = 256;

/** Throws `storage/bad-location` (class input). Never shows user name and password of an address. */
export function parseS3Location(url: string): S3Location {
  const { bucket, prefix, parameters } = partsOf(url);
  const value = (name: string): string | undefined => parameters.get(name) || undefined;
  const endpoint = endpointOf(value('endpoint'));
  const region = value('region');
  if (region !== undefined && !REGION.test(region)) throw badLocation('its region has other signs than letters, digits and "-"');
  const style = value('style') ?? (endpoint === undefined ? 'host' : 'path');
  if (style !== 'path' && style !== 'host') throw badLocation('its style is neither "path" nor "host"');
  const query = [endpoint && `endpoint=${endpoint}`, region && `region=${region}`].filter(Boolean).join('&');
  return {
    bucket, endpoint, region, pathStyle: style === 'path',
    prefix: prefix === '' ? '' : `${prefix}/`,
    caFile: value('ca-file'),
    credentialsFile: value('credentials-file'),
    shown: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${query === '' ? '' : `?${query}`}`,
  };
}

function partsOf(url: string): { bucket: string; prefix: string; parameters: URLSearchParams } {
  if (!URL.canParse(url)) throw badLocation('it is no address');
  const { hostname, port, username, password, pathname, searchParams, hash } = new URL(url);
  if (username !== '' || password !== '') {
    throw badLocation('it holds a key: give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a credentials file');
  }
  if (hash !== '') throw badLocation('it holds a "#"');
  if (port !== '') throw badLocation('a port stands after the bucket: it belongs into endpoint=https://host:port');
  if (!BUCKET.test(hostname)) throw badLocation('no bucket stands after "s3://"');
  const unknown = [...searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) throw badLocation(`"${unknown}" is none of ${PARAMETERS.join(', ')}`);
  const prefix = pathname.replace(/^\/|\/$/g, '');
  // "." and ".." are resolved by then.
  if (prefix !== '' && !(PREFIX.test(prefix) && prefix.length <= MAX_PREFIX)) {
    throw badLocation(`its prefix is more than parts of letters, digits, ".", "_" and "-", or longer than ${MAX_PREFIX}`);
  }
  return { bucket: hostname, prefix, parameters: searchParams };
}

/** A host alone is spoken to with TLS: only `http://` written out gives it up. */
function endpointOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(url)) throw badLocation('its endpoint is no address');
  const { protocol, host, username, password, pathname, search, hash } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') throw badLocation('its endpoint is neither https:// nor http://');
  if (username !== '' || password !== '') throw badLocation('its endpoint holds a password');
  if (host === '' || pathname.length > 1 || search !== '' || hash !== '') throw badLocation('its endpoint is more than a host with a port');
  return `${protocol}//${host}`;
}

function badLocation(what: string): HoldfastError {
  const message = `The address of the bucket cannot be used: ${what}. It has the form ${S3_EXAMPLE}.`;
  return new HoldfastError('storage/bad-location', 'input', message);
}
