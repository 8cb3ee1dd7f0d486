import { timingSafeEqual } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';
import type { AccountsContext } from './accountsContext.ts';

const NAME = 'master-key';

/**
 * Notes which master key the database belongs to, the first time, and refuses every other one later (`accounts/wrong-master-key`):
 * with another key links and audit log would break in silence.
 */
export async function checkMasterKey({ database, keys }: Pick<AccountsContext, 'database' | 'keys'>): Promise<void> {
  await database.query.insertInto('serviceNotes').values({ name: NAME, value: keys.fingerprint }).onConflict((conflict) => conflict.doNothing()).execute();
  const { value } = await database.query.selectFrom('serviceNotes').select('value').where('name', '=', NAME).executeTakeFirstOrThrow();
  if (value.length === keys.fingerprint.length && timingSafeEqual(Buffer.from(value), Buffer.from(keys.fingerprint))) return;
  throw new HoldfastError('accounts/wrong-master-key', 'input',
    'The database belongs to another master key. Give the key file that the service was started with first (HOLDFAST_MASTER_KEY_FILE).');
}
