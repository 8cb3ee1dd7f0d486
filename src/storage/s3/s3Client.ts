import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readFile } from 'node:fs/promises';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { HoldfastError, messageOf } from '../../domain/index.ts';
import type { Settings } from '../../runtime/index.ts';
import { s3Credentials } from './s3Credentials.ts';
import type { S3Location } from './s3Location.ts';

/** What tests set otherwise. */
export interface S3Timing {
  /** Longest time until a connection stands. Default 10 s. */
  readonly connectMs?: number;
  /** Longest time in which nothing is sent or received. Default 30 s. */
  readonly idleMs?: number;
  /** Is added to the time that requests are signed with. Default 0. */
  readonly clockOffsetMs?: number;
}

/** Where the address tells no region. Amazon's first one; services of others take any, or have their own. */
const DEFAULT_REGION = 'us-east-1';
/** Callers bound what is under way; this only keeps a mistake of theirs from using up the machine's ports. */
const MAX_SOCKETS = 256;

/**
 * A client for one bucket. It tries each request once: whoever calls repeats what may pass. Checksums that only newer
 * services know (x-amz-checksum-…) are neither sent nor asked for: others refuse or ignore them.
 */
export async function makeS3Client(location: S3Location, settings: Settings, timing: S3Timing = {}): Promise<S3Client> {
  const { connectMs = 10_000, idleMs = 30_000, clockOffsetMs = 0 } = timing;
  const region = location.region ?? settings.aws.region ?? DEFAULT_REGION;
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const ca = location.caFile === undefined ? undefined : await readCertificates(location.caFile);
  const config: S3ClientConfig = {
    region,
    credentials: s3Credentials(location, settings),
    forcePathStyle: location.pathStyle,
    ...(location.endpoint !== undefined && { endpoint: location.endpoint }),
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it each larger put opens a connection of its own.
    expectContinueHeader: false,
    systemClockOffset: clockOffsetMs,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(ca !== undefined && { ca }) }),
    },
  };
  return new S3Client(config);
}

async function readCertificates(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const message = `The certificates in ${path} could not be read (${messageOf(error)}). Give the path of a PEM file that this user may read.`;
    throw new HoldfastError('storage/bad-location', 'input', message, { data: { path }, cause: error });
  }
}
