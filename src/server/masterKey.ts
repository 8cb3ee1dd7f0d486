import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ServiceSettings, RandomBytes } from '../runtime/index.ts';
import { makeKeyFile, readKeyFile } from '../repository/index.ts';

/** The key with what an operator should know of it. */
export interface MasterKey {
  readonly key: Uint8Array;
  readonly file: string;
  readonly made: boolean;
  readonly warning: string | undefined;
}

/** The service's key from its file, which is made where it is missing. Errors: `key/…`. */
export async function openMasterKey({ masterKeyFile, data }: ServiceSettings, random: RandomBytes): Promise<MasterKey> {
  const file = masterKeyFile ?? join(data, 'master.key');
  if (!existsSync(file)) {
    // The database's user goes through it; the key itself is for this user alone.
    await mkdir(dirname(file), { recursive: true, mode: 0o711 });
    try {
      return { key: makeKeyFile(file, random), file, made: true, warning: undefined };
    } catch (error) {
      // Another process of the service made it at the same moment.
      if (!existsSync(file)) throw error;
    }
  }
  const { key, warning } = readKeyFile(file);
  return { key, file, made: false, warning };
}

/** The same for who only reads. Errors: `key/missing` and others. */
export function readMasterKey({ masterKeyFile, data }: ServiceSettings): Uint8Array {
  return readKeyFile(masterKeyFile ?? join(data, 'master.key')).key;
}
