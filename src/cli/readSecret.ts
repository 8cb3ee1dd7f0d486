import { readFile } from 'node:fs/promises';
import { HoldfastError, messageOf } from '../domain/index.ts';
import type { CommandContext } from './commandContext.ts';

/** A password, token or printed key is short; what is much longer is the wrong file. */
const MOST_BYTES = 64 * 1024;

/**
 * What a file holds, or stdin for '-', without the line end that an editor puts after it. `what` names it in messages,
 * which never say what it holds. Errors: `cli/secret-unreadable`, `cli/secret-empty`, `cli/secret-too-long`.
 */
export async function readSecret(what: string, file: string, stdin: CommandContext['stdin']): Promise<string> {
  const from = file === '-' ? 'standard input' : file;
  const text = (await bytesOf(what, file, stdin)).replace(/\r?\n$/, '');
  if (text === '') throw new HoldfastError('cli/secret-empty', 'input', `There is no ${what} in ${from}.`);
  if (text.length > MOST_BYTES) {
    throw new HoldfastError('cli/secret-too-long', 'input', `${from} is too long to be a ${what}. Check that it is the right file.`);
  }
  return text;
}

async function bytesOf(what: string, file: string, stdin: CommandContext['stdin']): Promise<string> {
  if (file !== '-') {
    try {
      return await readFile(file, 'utf8');
    } catch (cause) {
      throw new HoldfastError('cli/secret-unreadable', 'input', `The ${what} cannot be read from ${file} (${messageOf(cause)}).`, { cause });
    }
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    length += (chunk as Uint8Array).length;
    if (length > MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
