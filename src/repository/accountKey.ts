import { createHash, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError, messageOf } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';

export const KEY_LENGTH = 32;

const FILE_MARK = 'holdfast-key-1';
/** A key file is one line; what is much longer is something else. */
const MOST_FILE_BYTES = 4096;
const OPEN_TO_OTHERS = 0o077;

export interface KeyFile {
  readonly key: Buffer;
  /** A sentence for a person, when others on this machine can read the file. */
  readonly warning?: string;
}

/**
 * Makes a new operator key and its file (mode 0600), durably, and returns the key.
 * Errors: `key/exists` (a key is never replaced), `key/unwritable`.
 */
export function makeKeyFile(path: string, random: RandomBytes): Buffer {
  const key = random(KEY_LENGTH);
  const body = `${FILE_MARK}:${key.toString('base64url')}`;
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw unwritable(cause);
    throw keyError('exists', `${path} exists, and key files are never replaced. Choose another path.`, cause);
  }
  try {
    writeSync(file, `${body}:${checksum(body)}\n`);
    fsyncSync(file);
  } catch (cause) {
    unlinkSync(path);
    throw unwritable(cause);
  } finally {
    closeSync(file);
  }
  syncDirectory(dirname(path));
  return key;
}

/** Errors: `key/missing`, `key/unreadable`, `key/malformed` (not a key file), `key/damaged` (the checksum differs). */
export function readKeyFile(path: string): KeyFile {
  const { text, mode } = readSmallFile(path);
  const [mark, encoded = '', check = '', ...rest] = text.trim().split(':');
  const key = Buffer.from(encoded, 'base64url');
  if (mark !== FILE_MARK || rest.length > 0) {
    throw keyError('malformed', `${path} is no key file of this version. Give the one made with the repository.`);
  }
  const expected = checksum(`${mark}:${encoded}`);
  if (check !== expected || key.length !== KEY_LENGTH || key.toString('base64url') !== encoded) {
    throw keyError('damaged', `The key in ${path} was changed. Restore the file, or use the recovery key.`);
  }
  if (process.platform === 'win32' || (mode & OPEN_TO_OTHERS) === 0) return { key };
  return { key, warning: `Other users of this machine can open the key file ${path}. Run: chmod 600 ${path}` };
}

/** A key for one purpose. `label` names it; `context` tells several keys of that purpose apart. HKDF-SHA-256. */
export function deriveKey(master: Uint8Array, label: string, context: Uint8Array = new Uint8Array(0)): Buffer {
  if (master.length !== KEY_LENGTH) throw new RangeError(`a key has ${KEY_LENGTH} bytes, not ${master.length}`);
  // The zero byte ends the label, so that no label and context run into another pair.
  const info = Buffer.concat([Buffer.from(`holdfast:${label}\0`), context]);
  return Buffer.from(hkdfSync('sha256', createSecretKey(master), new Uint8Array(0), info, KEY_LENGTH));
}

/** Crockford's alphabet: no I, L, O, U. */
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUP = 5;
const DATA_GROUPS = 13;
const GROUPS = DATA_GROUPS + 1;
const CHECK_BITS = 25n;

/**
 * A key to print: 14 groups of five symbols. 13 groups hold four symbols of the key (a version of 4 bits, 0, before
 * it) and a check symbol, which finds every wrong symbol and every swap of neighbours, in the group where it
 * is; the last group checks the whole.
 */
export function formatRecoveryKey(key: Uint8Array): string {
  if (key.length !== KEY_LENGTH) throw new RangeError(`a key has ${KEY_LENGTH} bytes, not ${key.length}`);
  const data = toSymbols(BigInt(`0x${Buffer.from(key).toString('hex')}`), DATA_GROUPS * (GROUP - 1));
  const groups = Array.from({ length: DATA_GROUPS }, (_, i) => {
    const values = data.slice(i * (GROUP - 1), (i + 1) * (GROUP - 1));
    return [...values, checkSymbol(values, i)];
  });
  return [...groups, wholeCheck(key)].map((group) => group.map((value) => SYMBOLS.charAt(value)).join('')).join('-');
}

/**
 * The key that {@link formatRecoveryKey} printed. Case, spaces, dashes and line breaks do not matter; O is read as 0,
 * I and L as 1. Errors (all for the person who types): `key/recovery-length`, `key/recovery-typo` with the numbers of
 * the wrong groups in the sentence and in `data.groups`, `key/recovery-version`.
 */
export function parseRecoveryKey(text: string): Buffer {
  const symbols = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  if (symbols.length !== GROUPS * GROUP) {
    const sentence = `A recovery key has ${GROUPS} groups of ${GROUP} letters and digits, ${GROUPS * GROUP} in all;`;
    throw keyError('recovery-length', `${sentence} this has ${symbols.length}. Type it as printed.`, undefined, {
      symbols: symbols.length,
    });
  }
  const values = Array.from(symbols, (symbol) => SYMBOLS.indexOf(symbol));
  const groups = Array.from({ length: GROUPS }, (_, i) => values.slice(i * GROUP, (i + 1) * GROUP));
  const wrong = groups.flatMap((group, i) => (isSound(group, i) ? [] : [i + 1]));
  if (wrong.length > 0) throw typo(wrong);
  const data = groups.slice(0, DATA_GROUPS).flatMap((group) => group.slice(0, -1));
  const number = data.reduce((sum, value) => (sum << 5n) | BigInt(value), 0n);
  const key = Buffer.from((number & ((1n << 256n) - 1n)).toString(16).padStart(2 * KEY_LENGTH, '0'), 'hex');
  const check = groups[DATA_GROUPS] ?? [];
  if (!timingSafeEqual(Buffer.from(check), Buffer.from(wholeCheck(key)))) throw typo([GROUPS]);
  if (number >> 256n !== 0n) {
    throw keyError('recovery-version', 'This recovery key was made by a newer version. Update Holdfast and try again.');
  }
  return key;
}

function isSound(group: readonly number[], index: number): boolean {
  if (group.includes(-1)) return false;
  return index >= DATA_GROUPS || group.at(-1) === checkSymbol(group.slice(0, -1), index);
}

/** A polynomial in GF(32) (x^5 + x^2 + 1) that starts with the group's number, so that swapped groups are found too. */
function checkSymbol(values: readonly number[], index: number): number {
  const double = (value: number): number => ((value << 1) ^ (value & 16 ? 0b100101 : 0)) & 31;
  return double(values.reduce((sum, value) => double(sum) ^ value, index + 1));
}

function wholeCheck(key: Uint8Array): number[] {
  const digest = createHash('sha256').update('holdfast-recovery-1:').update(key).digest();
  return toSymbols(BigInt(digest.readUInt32BE(0)) & ((1n << CHECK_BITS) - 1n), GROUP);
}

function toSymbols(number: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((number >> BigInt(5 * (count - 1 - i))) & 31n));
}

function typo(groups: readonly number[]): HoldfastError {
  const named = groups.length === 1 ? `Group ${groups[0]} is` : `Groups ${groups.join(', ')} are`;
  const sentence = `${named} not as printed. Compare the recovery key with the sheet and try again.`;
  return keyError('recovery-typo', sentence, undefined, { groups: groups.join(',') });
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 8);
}

function readSmallFile(path: string): { text: string; mode: number } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(MOST_FILE_BYTES);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    return { text: bytes.toString('latin1', 0, length), mode: fstatSync(file).mode };
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') {
      throw keyError('unreadable', `The key file cannot be read: ${messageOf(cause)}. Check its permissions.`, cause);
    }
    throw keyError('missing', `There is no key file at ${path}. Give the right path, or use the recovery key.`, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Makes the new name durable. Windows cannot open a directory: there it is as durable as the system makes it. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function unwritable(cause: unknown): HoldfastError {
  return keyError('unwritable', `The key file cannot be written: ${messageOf(cause)}. Choose another path.`, cause);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

type Facts = Record<string, string | number>;

function keyError(what: string, message: string, cause?: unknown, data: Facts = {}): HoldfastError {
  return new HoldfastError(`key/${what}`, 'input', message, { data, cause });
}
