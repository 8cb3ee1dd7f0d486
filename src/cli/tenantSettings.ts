import type { Microsoft365Settings } from '../connectors/microsoft365/index.ts';
import type { CommandContext } from './commandContext.ts';
import { usageError } from './presentError.ts';
import { readSecret } from './readSecret.ts';
import type { TenantOptions } from './tenantOptions.ts';

/** How to reach the tenant that the options name; secrets are read here. */
export async function tenantSettings({ stdin }: CommandContext, options: TenantOptions): Promise<Microsoft365Settings> {
  const { tenant, clientId, cloud, graphUrl, loginUrl, clientSecretFile, certificate } = options;
  const hosts = { cloud, ...(graphUrl === undefined ? {} : { graphUrl }), ...(loginUrl === undefined ? {} : { loginUrl }) };
  if (clientSecretFile !== undefined) return { tenant, clientId, ...hosts, clientSecret: await readSecret('client secret', clientSecretFile, stdin) };
  if (certificate !== undefined) return { tenant, clientId, ...hosts, certificate: await readSecret('certificate', certificate, stdin) };
  throw usageError('no-secret', 'Give the secret of the application: --client-secret-file FILE or --certificate FILE.');
}
