import { readFile } from 'node:fs/promises';
import type { AuthClient, JWTInput } from 'google-auth-library';
import { messageOf } from '../../domain/index.ts';
import { noCredentials } from '../bucket/bucketAddress.ts';
import { SignInFailure } from './gcsErrors.ts';
import type { SignIn } from './gcsRequests.ts';

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';

/**
 * Signs in by the file that GOOGLE_APPLICATION_CREDENTIALS names. A service account's key signs its tokens here, and
 * nobody is asked; a person's file is used to ask the token service, again in time. Throws `storage/no-credentials`
 * (class input) where the file is none that is known; its content is in no message.
 */
export async function signInByFile(file: string | undefined): Promise<SignIn> {
  if (file === undefined) {
    throw noCredentials('There are no credentials for gs:// addresses. Set GOOGLE_APPLICATION_CREDENTIALS to the file that holds them.');
  }
  const client = await clientOf(file, await credentialsIn(file));
  return async () => {
    try {
      return await client.getRequestHeaders();
    } catch (error) {
      throw new SignInFailure(error);
    }
  };
}

type Credentials = { readonly type: string };

async function credentialsIn(file: string): Promise<Credentials> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw noCredentials(`The credentials for gs:// addresses cannot be read from ${file} (${messageOf(cause)}).`, cause);
  }
  const credentials = parsed(text);
  if (typeof credentials !== 'object' || credentials === null || !('type' in credentials)) throw unusable(file);
  return { ...credentials, type: String(credentials.type) };
}

/** The parser's own message would repeat a piece of the file. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The library takes an incomplete file with an error that may repeat it. */
async function clientOf(file: string, credentials: Credentials): Promise<AuthClient> {
  const { JWT, UserRefreshClient } = await import('google-auth-library');
  try {
    if (credentials.type === 'service_account') {
      const client = new JWT({ scopes: [SCOPE] });
      client.useJWTAccessWithScope = true;
      client.fromJSON(credentials as JWTInput);
      return client;
    }
    if (credentials.type === 'authorized_user') {
      const client = new UserRefreshClient();
      client.fromJSON(credentials as JWTInput);
      return client;
    }
  } catch {
    throw unusable(file);
  }
  throw unusable(file);
}

function unusable(file: string): Error {
  const kinds = 'a service account, or the one that "gcloud auth application-default login" makes';
  return noCredentials(`${file} holds no credentials for gs:// addresses that can be used. Give the whole JSON file of ${kinds}.`);
}
