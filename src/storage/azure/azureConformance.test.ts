import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAzurite, type Azurite } from '../../../tests/servers/azurite.ts';
import { readSettings, systemClock, systemRandom } from '../../runtime/index.ts';
import { checkConformance, conformanceChecks } from '../conformance.ts';
import type { Storage } from '../contract.ts';
import { openStorage } from '../openStorage.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
  await azurite.client.getContainerClient('backups').create();
});
afterAll(() => azurite?.stop());

const open = (folder: string): Promise<Storage> => openStorage(
  `azblob://backups/some/${folder}?account=${azurite.account}&endpoint=${azurite.endpoint}`,
  { settings: readSettings({ AZURE_STORAGE_KEY: azurite.key }) },
);

describe('a container of Azurite', () => {
  test.each(conformanceChecks)('$name', async (check) => {
    const folder = check.name.replaceAll(/\W+/g, '-');
    const storage = await open(folder);
    const options = { clock: systemClock, random: systemRandom, checks: [check], reopen: () => open(folder) };
    for await (const result of checkConformance(storage, options)) {
      expect(result).toEqual({ name: check.name, error: undefined });
    }
    // A put that was cut off may take effect after the check has cleaned up: its request cannot be called back.
    if (check.name.startsWith('a put that is aborted')) return;
    expect((await storage.list('')).objects).toEqual([]);
  });
});
