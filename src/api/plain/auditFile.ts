import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { auditHead, auditUpTo, type AuditEntry } from '../../accounts/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import { makeScratch } from '../../runtime/index.ts';
import { auditFilter, questionOf } from '../activityQuestion.ts';
import { AuditQuestion } from '../contract/index.ts';
import { csvLine } from '../csv.ts';
import { fileResponse } from '../fileResponse.ts';
import { auditDocument } from '../present.ts';
import { InvalidInput } from '../problem.ts';
import type { PlainCall } from './plainCall.ts';

const HEAD = ['Number', 'Date and time (UTC)', 'Type', 'Service', 'Status', 'Task', 'Performed by', 'Method', 'Address', 'Browser', 'Description'];

/**
 * The account's audit log as CSV up to an entry. What is up to there never changes, and the digest of the chain names it: a
 * download that broke off goes on with a range, if it names the same `until`.
 */
export async function auditFile({ request, url, context, caller }: PlainCall): Promise<Response> {
  const { accounts } = context.services;
  const viewer = caller();
  const question = questionOf(AuditQuestion, url);
  const head = await auditHead(accounts, viewer.accountId, untilOf(url));
  if (head === undefined) throw new HoldfastError('api/not-found', 'input', 'The account has no such entry.');
  const scratch = await makeScratch('audit');
  const remove = async (): Promise<void> => scratch[Symbol.asyncDispose]();
  try {
    const path = join(scratch.path, 'audit.csv');
    await using file = await open(path, 'wx', 0o600);
    await file.appendFile(csvLine(HEAD));
    for await (const batch of auditUpTo(accounts, viewer, auditFilter(question), head.seq)) await file.appendFile(batch.map((entry) => csvLine(cells(entry))).join(''));
    const { size } = await stat(path);
    const onClose = (): void => {
      remove().catch((error: unknown) => context.services.log.warn('scratch file', { message: String(error) }));
    };
    // The same entries, as the same question and the same services show them.
    const tag = createHash('sha256').update(head.digest).update(JSON.stringify([question, viewer.services ?? null])).digest('hex');
    return fileResponse(request, { path, size, type: 'text/csv; charset=utf-8', name: `audit-${head.seq}.csv`, tag }, onClose);
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

function cells(entry: AuditEntry): string[] {
  const { seq, at, kind, service, status, task, performedBy, method, address, agent, description } = auditDocument(entry);
  return [String(seq), at, kind, service ?? '', status, task ?? '', performedBy, method ?? '', address ?? '', agent ?? '', description];
}
