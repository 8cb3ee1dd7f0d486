import { openSource, Tenant, type Fidelity, type Mailbox } from '../../connectors/microsoft365/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import type { BackupCommandOptions } from '../backUp.ts';
import { backUpMany, type Many } from '../backUpMany.ts';
import type { CommandContext } from '../commandContext.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { TenantOptions } from '../tenantOptions.ts';
import { tenantSettings } from '../tenantSettings.ts';

/** Mailboxes at once: each is limited by the service, not by this machine. */
const PARALLEL = 4;

export interface BackupExchangeOptions extends BackupCommandOptions, TenantOptions {
  readonly mailbox?: readonly string[];
  readonly parallel?: number;
  readonly fidelity: Fidelity;
}

export function backupExchange(context: CommandContext, options: BackupExchangeOptions): Promise<ExitCode> {
  return backUpMany(context, options, () => find(context, options));
}

async function find(context: CommandContext, options: BackupExchangeOptions): Promise<Many> {
  const tenant = new Tenant(await tenantSettings(context, options));
  await tenant.signIn(context.signal);
  const mailboxes = await mailboxesOf(tenant, options.mailbox, context.signal);
  if (mailboxes.length === 0) throw new HoldfastError('microsoft365/no-mailboxes', 'input', 'The tenant has no mailbox. Check that it is the right tenant.');
  return {
    parallel: options.parallel ?? PARALLEL,
    entries: mailboxes.map((mailbox) => ({ name: mailbox.address, open: () => openSource(tenant, mailbox, options.fidelity) })),
    // The repository and this machine concern all of them.
    isOfOne: ({ code }) => code.startsWith('microsoft365/') || code.startsWith('http/'),
  };
}

/** Those that were named, each once; else all that the tenant has. */
async function mailboxesOf(tenant: Tenant, addresses: readonly string[] | undefined, signal: AbortSignal): Promise<Mailbox[]> {
  const found = new Map<string, Mailbox>();
  if (addresses === undefined) {
    for await (const some of tenant.mailboxes(signal)) for (const mailbox of some) found.set(mailbox.userId, mailbox);
  } else {
    for (const address of addresses) {
      const mailbox = await tenant.mailbox(address, signal);
      found.set(mailbox.userId, mailbox);
    }
  }
  return [...found.values()];
}
