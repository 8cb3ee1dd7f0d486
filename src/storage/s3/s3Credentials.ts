import { fromIni } from '@aws-sdk/credential-provider-ini';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { HoldfastError, messageOf } from '../../domain/index.ts';
import { systemClock, type Settings } from '../../runtime/index.ts';
import type { S3Location } from './s3Location.ts';

/** The SDK asks again five minutes before the end, so a file is read about every five minutes: whoever renews it is heard. */
const FILE_HOLDS_MS = 600_000;

/**
 * Keys from the file that the address names, else from the environment, else from the file that AWS programs share
 * (AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, profile AWS_PROFILE). Without any, each request fails with
 * `storage/no-credentials` (class input).
 */
export function s3Credentials(location: S3Location, settings: Settings): NonNullable<S3ClientConfig['credentials']> {
  const { accessKeyId, secretAccessKey, sessionToken, credentialsFile, profile } = settings.aws;
  if (location.credentialsFile === undefined && accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  }
  const filepath = location.credentialsFile ?? credentialsFile;
  const read = fromIni({ ignoreCache: true, ...(filepath !== undefined && { filepath }), ...(profile !== undefined && { profile }) });
  return async () => {
    try {
      const found = await read();
      return { ...found, expiration: found.expiration ?? new Date(systemClock.now() + FILE_HOLDS_MS) };
    } catch (error) {
      throw noCredentials(filepath, error);
    }
  };
}

function noCredentials(filepath: string | undefined, cause: unknown): HoldfastError {
  const where = filepath === undefined ? 'neither in the environment nor in ~/.aws/credentials' : `not in ${filepath}`;
  const message = `No keys for the bucket: ${where} (${messageOf(cause)}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, `
    + 'or name a file of keys by credentials-file= in the address or AWS_SHARED_CREDENTIALS_FILE.';
  return new HoldfastError('storage/no-credentials', 'input', message, { cause });
}
