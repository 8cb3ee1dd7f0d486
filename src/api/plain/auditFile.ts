import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { auditHead, auditUpTo, type AuditEntry } from '../../accounts/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import { makeScratch } from '../../runtime/index.ts';
import { fileResponse } from '../fileResponse.ts';
import { InvalidInput } from '../problem.ts';
import type { PlainCall } from './plainCall.ts';

const HEAD = ['Number', 'Date and time (UTC)', 'Type', 'Performed by', 'Address', 'Browser', 'Details'];

/**
 * The account's audit log as CSV up to an entry. What is up to there never changes, and the digest of the chain names it: a
 * download that broke off goes on with a range, if it names the same `until`.
 */
export async function auditFile({ request, url, context, caller }: PlainCall): Promise<Response> {
  const { accounts } = context.services;
  const { accountId } = caller();
  const head = await auditHead(accounts, accountId, untilOf(url));
  if (head === undefined) throw new HoldfastError('api/not-found', 'input', 'The account has no such entry.');
  const scratch = await makeScratch('audit');
  const remove = async (): Promise<void> => scratch[Symbol.asyncDispose]();
  try {
    const path = join(scratch.path, 'audit.csv');
    await using file = await open(path, 'wx', 0o600);
    await file.appendFile(csvLine(HEAD));
    for await (const batch of auditUpTo(accounts, accountId, head.seq)) await file.appendFile(batch.map((entry) => csvLine(cells(entry))).join(''));
    const { size } = await stat(path);
    const onClose = (): void => {
      remove().catch((error: unknown) => context.services.log.warn('scratch file', { message: String(error) }));
    };
    return fileResponse(request, { path, size, type: 'text/csv; charset=utf-8', name: `audit-${head.seq}.csv`, tag: head.digest.toString('hex') }, onClose);
  } catch (error) {
    await remove();
    throw error;
  }
}

function untilOf(url: URL): number | undefined {
  const until = url.searchParams.get('until');
  if (until === null) return undefined;
  if (/^[1-9]\d{0,14}$/.test(until)) return Number(until);
  throw new InvalidInput([{ path: 'until', message: 'the number of an entry' }]);
}

function cells({ seq, at, kind, actorName, address, agent, details }: AuditEntry): string[] {
  const told = Object.entries(details).map(([name, value]) => `${name}: ${value}`).join('; ');
  return [String(seq), at.toISOString(), kind, actorName, address ?? '', agent ?? '', told];
}

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function csvLine(fields: readonly string[]): string {
  return `${fields.map((field) => `"${(/^[=+\-@\t\r]/.test(field) ? `'${field}` : field).replaceAll('"', '""')}"`).join(',')}\r\n`;
}
