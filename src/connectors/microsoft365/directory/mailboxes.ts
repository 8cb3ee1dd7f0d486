import { HoldfastError } from '../../../domain/index.ts';
import { batch } from '../graph/batch.ts';
import type { GraphClient } from '../graph/graphClient.ts';
import { hasCode } from '../graph/graphErrors.ts';
import { idOf, pages, textOf, type Entry } from '../graph/pages.ts';
import type { Microsoft365Runtime } from '../settings.ts';

/** What a mailbox is for; `unlicensed`: somebody's own, without a licence. */
export type MailboxKind = 'user' | 'shared' | 'room' | 'equipment' | 'unlicensed';

export interface Mailbox {
  /** Stays when people, addresses and domains change their names. */
  readonly userId: string;
  readonly address: string;
  readonly name: string;
  /** Undefined where nobody has asked yet. */
  readonly kind?: MailboxKind;
  /** What the directory says, by the names of {@link DIRECTORY_ATTRIBUTES}; in lists alone. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Properties of users in Graph that people sort them by, with their titles. */
export const DIRECTORY_ATTRIBUTES = {
  department: 'Department', jobTitle: 'Job title', officeLocation: 'Office', companyName: 'Company', city: 'City', country: 'Country', usageLocation: 'Usage location',
} as const;

const ATTRIBUTES = Object.keys(DIRECTORY_ATTRIBUTES);
const SELECT = '$select=id,displayName,mail,userPrincipalName,userType,assignedPlans';
const LIST_PURPOSE = 'list the users of the tenant (User.Read.All)';
const KIND_PURPOSE = 'tell shared and unlicensed mailboxes apart (MailboxSettings.Read)';
const KINDS: Readonly<Record<string, MailboxKind>> = { shared: 'shared', room: 'room', equipment: 'equipment' };

/** Users with a plan for Exchange have a mailbox; of the others each is asked for: shared and resource mailboxes need no licence. Guests have none. */
export async function* listMailboxes(client: GraphClient, runtime: Microsoft365Runtime, signal: AbortSignal): AsyncGenerator<readonly Mailbox[]> {
  for await (const page of pages(client, `/users?${SELECT},${ATTRIBUTES.join(',')}&$top=999`, { purpose: LIST_PURPOSE, signal })) {
    const members = page.filter((entry) => textOf(entry, 'userType') !== 'Guest');
    const unsure = members.filter((entry) => !hasExchange(entry));
    const kinds = await askKinds(client, unsure.map(idOf), runtime, signal);
    yield members.flatMap((entry) => {
      const kind = hasExchange(entry) ? 'user' : kinds.get(idOf(entry));
      return kind === undefined ? [] : [{ ...mailboxOf(entry), kind, attributes: attributesOf(entry) }];
    });
  }
}

function mailboxOf(entry: Entry): Mailbox {
  const principal = textOf(entry, 'userPrincipalName');
  const address = textOf(entry, 'mail') || principal;
  return { userId: idOf(entry), address, name: textOf(entry, 'displayName') || address };
}

function attributesOf(entry: Entry): Readonly<Record<string, string>> {
  return Object.fromEntries(ATTRIBUTES.map((name) => [name, textOf(entry, name).trim()] as const).filter(([, value]) => value !== ''));
}

function hasExchange(entry: Entry): boolean {
  const { assignedPlans } = entry;
  return Array.isArray(assignedPlans) && assignedPlans.some((plan: unknown) => {
    const { service, capabilityStatus } = (plan ?? {}) as { service?: unknown; capabilityStatus?: unknown };
    return service === 'exchange' && (capabilityStatus === 'Enabled' || capabilityStatus === 'Warning');
  });
}

/** Those that have a mailbox, with its kind. */
async function askKinds(client: GraphClient, userIds: readonly string[], runtime: Microsoft365Runtime, signal: AbortSignal): Promise<Map<string, MailboxKind>> {
  const { random, sleep, attempts } = runtime;
  const requests = userIds.map((id) => ({ path: `/users/${id}/mailboxSettings?$select=userPurpose` }));
  const results = await batch(client, requests, { purpose: KIND_PURPOSE, signal, random, sleep, attempts });
  const kinds = new Map<string, MailboxKind>();
  for (const [place, result] of results.entries()) {
    if ('document' in result) kinds.set(userIds[place] ?? '', KINDS[textOf(result.document, 'userPurpose')] ?? 'unlicensed');
    else if (!hasCode(result.error, 'no-mailbox', 'not-found')) throw result.error;
  }
  return kinds;
}

/** By sign-in name or id, else by mail address. */
export async function findMailbox(client: GraphClient, address: string, signal: AbortSignal): Promise<Mailbox> {
  const options = { purpose: `look up ${address} (User.Read.All)`, signal };
  try {
    return mailboxOf(await client.get(`/users/${encodeURIComponent(address)}?${SELECT}`, options));
  } catch (error) {
    if (!hasCode(error, 'not-found', 'refused')) throw error;
  }
  const filter = encodeURIComponent(`mail eq '${address.replaceAll("'", "''")}'`);
  for await (const [entry] of pages(client, `/users?$filter=${filter}&${SELECT}`, options)) {
    if (entry !== undefined) return mailboxOf(entry);
  }
  throw new HoldfastError('microsoft365/unknown-mailbox', 'input', `The tenant has no user with the address "${address}". Check the spelling.`, { data: { address } });
}
