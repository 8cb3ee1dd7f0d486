import { test } from 'vitest';
import { connectorChecks, type ConnectorFixture } from '../conformance.ts';
import { descriptor } from './index.ts';
import { TestTenant } from './testing/testTenant.ts';

async function fixture(tenant: TestTenant): Promise<ConnectorFixture> {
  return {
    descriptor,
    open: async (signal) => {
      signal?.throwIfAborted();
      return await tenant.source();
    },
    add: async () => {
      await tenant.addMessage('inbox');
    },
    change: async () => {
      const [message] = await tenant.messages('sentitems', 1);
      await tenant.ask('PATCH', `/messages/${message.id}`, { isRead: message.isRead !== true, categories: ['Changed'] });
    },
    remove: async () => {
      const [message] = await tenant.messages('junkemail', 1);
      await tenant.ask('POST', `/messages/${message.id}/permanentDelete`);
    },
    cancelLimitMs: 20_000,
  };
}

for (const check of connectorChecks) {
  test(check.name, async () => {
    await using tenant = await TestTenant.start({ items: 60, parts: 'all' });
    await check.run(await fixture(tenant));
  });
}
