import type { BinaryString, Outcome } from '../../domain/index.ts';
import { decodeName } from './bytePath.ts';

/** The code of a failed system call; anything else that was thrown is a fault of ours and goes on. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) throw error;
  return code;
}

/** What a listing says of an entry that it could not read. */
export function unreadable(path: BinaryString, code: string): Outcome {
  const shown = JSON.stringify(decodeName(path));
  if (code === 'ENAMETOOLONG') {
    const message = `${shown} is a longer path than the system opens; back up a folder further down on its own.`;
    return { state: 'failed', code: 'path-too-long', message };
  }
  if (code === 'ENOTDIR' || code === 'EINVAL') {
    const message = `${shown} was replaced by something else while it was listed; the next run reads it.`;
    return { state: 'failed', code: 'changed-while-read', message };
  }
  const advice =
    code === 'EACCES' || code === 'EPERM'
      ? 'give the user that runs the backup the right to read it'
      : 'check the disk or file system it lies on';
  return { state: 'failed', code: 'unreadable', message: `${shown} could not be read (${code}); ${advice}.` };
}

export function specialFile(path: BinaryString): Outcome {
  return {
    state: 'skipped',
    code: 'special-file',
    message: `${JSON.stringify(decodeName(path))} is a device, pipe or socket; only its name is kept.`,
  };
}
