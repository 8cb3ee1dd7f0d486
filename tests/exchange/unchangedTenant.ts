import assert from 'node:assert/strict';
import type { LoggedRequest } from '../../simulators/microsoft365/index.ts';
import { TenantBackups } from './tenantBackups.ts';

/** What Graph has no delta for, so that a run lists it: calendars and their events, and settings, rules and categories in one batch. */
const LISTED: readonly (readonly [kind: string, path: RegExp])[] = [
  ['lists of calendars and events', /\/(calendars\?|calendars\/[^/]+\/events\?)/],
  ['batches of settings', /\/(\$batch$|mailboxSettings|masterCategories|messageRules)/],
];

/** By kind; 'other' must not occur. */
function kindOf({ url }: LoggedRequest): string {
  if (/\/delta\b/.test(url)) return 'delta calls';
  return LISTED.find(([, path]) => path.test(url))?.[0] ?? 'other';
}

/** Backs up all mailboxes of a tenant twice, with MIME and streams as the product does unless told, and counts by kind what the second time asks for, when nothing has changed. */
export async function unchangedTenant(mailboxes: number, items: number): Promise<{ mailboxes: number; kinds: Readonly<Record<string, number>>; first: number }> {
  await using tenant = await TenantBackups.start({ mailboxes, items, fidelity: 'both' });
  const scratch = await tenant.repository();
  const kinds: Record<string, number> = {};
  let first = 0;
  for (const address of tenant.simulator.mailboxes) {
    first += (await tenant.backUp(scratch, address)).requests.length;
    const { manifest, requests } = await tenant.backUp(scratch, address);
    assert.deepEqual([manifest.counts.added, manifest.counts.changed, manifest.counts.removed], [0, 0, 0], address);
    for (const request of requests) {
      const kind = kindOf(request);
      assert.notEqual(kind, 'other', `${address}: ${request.method} ${request.url}`);
      if (!request.batched) kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    tenant.simulator.log.clear();
  }
  return { mailboxes: tenant.simulator.mailboxes.length, kinds, first };
}
