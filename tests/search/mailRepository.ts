import { runBackup } from '../../src/backup/index.ts';
import type { Searchable } from '../../src/connectors/contract.ts';
import { readMailSummary } from '../../src/formats/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { found, listing, ScriptedSource } from '../sources/scriptedSource.ts';

export const OPERATOR_KEY = new Uint8Array(32).fill(1);

/** How mails of {@link backUpMails} are searched. */
export const searchOfMail: Searchable = {
  titles: { name: 'Subject', author: 'From', recipient: 'To' }, 
  format: ({ kind }) => (kind === 'mail' ? 'mail' : undefined),
  fields: ({ meta }) => JSON.parse(meta) as { author: string; recipients: string },
};

/** The key of a mail by its place in the list. */
export const keyOf = (index: number): string => `m${String(index).padStart(5, '0')}`;

/** A new repository with one snapshot of these mails, received a second apart. */
export async function backUpMails(storage: Storage, cacheDirectory: string, mails: readonly Buffer[]): Promise<Repository> {
  const repository = await Repository.init(storage, OPERATOR_KEY, new Uint8Array(32).fill(2), { cacheDirectory });
  const contents = Object.fromEntries(mails.map((bytes, i) => [keyOf(i), bytes.toString('latin1')]));
  const changes = mails.map((bytes, i) => {
    const { subject, from, to } = readMailSummary(bytes);
    const meta = JSON.stringify({ author: from, recipients: to });
    return found(keyOf(i), { name: subject, kind: 'mail', size: bytes.length, modified: 1e12 + i * 1000, meta });
  });
  await runBackup(repository, new ScriptedSource({ changes: [listing(...changes)], contents }), {
    signal: new AbortController().signal, progress: () => {}, clock: systemClock,
  });
  return repository;
}
