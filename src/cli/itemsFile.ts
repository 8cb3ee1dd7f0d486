import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { messageOf, HoldfastError, type BinaryString } from '../domain/index.ts';
import { usageError } from './presentError.ts';

/** As `ls --json` shows them. */
export function itemIds(keys: Iterable<BinaryString>): string[] {
  return [...keys].map((key) => Buffer.from(key, 'latin1').toString('base64url'));
}

/** The ids of items, a line each, for their owner alone: they tell what is erased. Errors: `erase/items-unwritable`. */
export class ItemsFile {
  readonly path: string;

  constructor(path: string, keys: Iterable<BinaryString>) {
    this.path = path;
    try {
      // One that is there is of a run that was killed before: its certificate was empty.
      rmSync(path, { force: true });
      writeFileSync(path, `${itemIds(keys).join('\n')}\n`, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      throw new HoldfastError('erase/items-unwritable', 'input', `Nothing was erased, since the list of its items could not be written: ${messageOf(cause)}. Give another --certificate.`, { cause });
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Errors: `usage/no-items`. */
export function readItems(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw usageError('no-items', `The ids of --items-file cannot be read: ${messageOf(cause)}.`);
  }
  const ids = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const wrong = ids.findIndex((id) => !/^[\w-]+$/.test(id));
  if (ids.length === 0 || wrong >= 0) throw usageError('no-items', `${path} has to have an id a line, as "holdfast ls --json" shows them${wrong < 0 ? '' : `: the ${wrong + 1}. is none`}.`);
  return ids;
}
