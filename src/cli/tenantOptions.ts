import { Option, type Command } from 'commander';

/** What {@link tenantOptions} declares. */
export interface TenantOptions {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecretFile?: string;
  readonly certificate?: string;
  readonly cloud: 'global' | 'us-gov-high' | 'us-gov-dod' | 'china';
  readonly graphUrl?: string;
  readonly loginUrl?: string;
}

/** How to reach a tenant of Microsoft 365 as an application. */
export function tenantOptions(command: Command): Command {
  return command
    .requiredOption('--tenant <tenant>', 'id or domain of the tenant')
    .requiredOption('--client-id <id>', 'application (client) id of the registration that is used')
    .addOption(new Option('--client-secret-file <file>', 'file with a client secret of the application (- for stdin)').conflicts('certificate'))
    .option('--certificate <file>', 'in its place: file with private key and certificate (PEM)')
    .addOption(new Option('--cloud <name>', 'national cloud that the tenant is in').choices(['global', 'us-gov-high', 'us-gov-dod', 'china']).default('global'))
    .option('--graph-url <url>', "Microsoft Graph in place of the cloud's own (for a proxy or a test)")
    .option('--login-url <url>', "sign-in in place of the cloud's own");
}
