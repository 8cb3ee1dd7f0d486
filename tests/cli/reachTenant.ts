import { writeFileSync } from 'node:fs';
import type { Microsoft365 } from '../../simulators/microsoft365/index.ts';
import type { CliSandbox } from './cliSandbox.ts';

/** Options that reach the simulated tenant. */
export function reachTenant(sandbox: CliSandbox, simulator: Microsoft365): string[] {
  const { tenant, clientId, clientSecret, graphUrl, loginUrl } = simulator;
  writeFileSync(sandbox.path('secret'), `${clientSecret}\n`);
  return ['--tenant', tenant, '--client-id', clientId, '--client-secret-file', sandbox.path('secret'), '--graph-url', graphUrl, '--login-url', loginUrl];
}
