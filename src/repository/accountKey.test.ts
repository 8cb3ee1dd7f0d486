import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHoldfastError } from '../domain/index.ts';
import type { HoldfastError } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import { deriveKey, formatRecoveryKey, makeKeyFile, parseRecoveryKey, readKeyFile } from './accountKey.ts';

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-key-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function failure(action: () => unknown): HoldfastError {
  try {
    action();
  } catch (error) {
    if (isHoldfastError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('the key file', () => {
  test('is read as it was made, and is for its owner only', () => {
    const path = join(directory, 'made');
    const key = makeKeyFile(path, systemRandom);
    expect(key.length).toBe(32);
    expect(readKeyFile(path)).toEqual({ key });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^holdfast-key-1:[\w-]{43}:[\w-]{8}\n$/);
  });

  test('is never replaced', () => {
    const path = join(directory, 'kept');
    writeFileSync(path, 'something dear');
    expect(failure(() => makeKeyFile(path, systemRandom)).code).toBe('key/exists');
    expect(readFileSync(path, 'utf8')).toBe('something dear');
  });

  test('of this version never changes', () => {
    const path = join(directory, 'frozen');
    makeKeyFile(path, () => KEY);
    const line = 'holdfast-key-1:AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk:XafpjeVQ\n';
    expect(readFileSync(path, 'utf8')).toBe(line);
  });

  test('warns when others can read it', () => {
    const path = join(directory, 'open');
    const key = makeKeyFile(path, systemRandom);
    chmodSync(path, 0o640);
    const read = readKeyFile(path);
    expect(read.key).toEqual(key);
    expect(read.warning).toContain(`chmod 600 ${path}`);
  });

  test('says what is wrong with it', () => {
    const path = join(directory, 'wrong');
    makeKeyFile(path, systemRandom);
    const good = readFileSync(path, 'utf8');
    const reading = (text: string): string => {
      writeFileSync(path, text);
      return failure(() => readKeyFile(path)).code;
    };
    expect(reading('')).toBe('key/malformed');
    expect(reading('-----BEGIN PRIVATE KEY-----\n')).toBe('key/malformed');
    expect(reading(good.replace('key-1', 'key-2'))).toBe('key/malformed');
    expect(reading(`${good.trim()}:more`)).toBe('key/malformed');
    expect(reading(good.slice(0, 40))).toBe('key/damaged');
    expect(reading(good.slice(0, 15) + (good[15] === 'A' ? 'B' : 'A') + good.slice(16))).toBe('key/damaged');
    expect(failure(() => readKeyFile(join(directory, 'none'))).code).toBe('key/missing');
    expect(failure(() => readKeyFile(directory)).code).toBe('key/unreadable');
    expect(failure(() => makeKeyFile(join(directory, 'no', 'such'), systemRandom)).code).toBe('key/unwritable');
    expect(existsSync(join(directory, 'no'))).toBe(false);
  });

  test('survives an editor that adds blanks and line ends', () => {
    const path = join(directory, 'edited');
    const key = makeKeyFile(path, systemRandom);
    writeFileSync(path, ` ${readFileSync(path, 'utf8').trim()} \r\n\r\n`);
    expect(readKeyFile(path).key).toEqual(key);
  });
});

describe('the recovery key', () => {
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

  test('of this version never changes', () => {
    expect(formatRecoveryKey(KEY)).toBe(
      '0007B-1RAHE-R8SA3-64W37-YHJD3-AHDPB-4TBGK-EXZ86-B34K2-KAGTY-HBXPZ-QQ2CJ-QMPST-V0CRJ',
    );
  });

  test('comes back however it is typed', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const printed = formatRecoveryKey(key);
        expect(printed).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){13}[0-9A-HJKMNP-TV-Z]{5}$/);
        const typed = printed.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replaceAll('-', ' \n');
        expect(parseRecoveryKey(printed)).toEqual(key);
        expect(parseRecoveryKey(typed)).toEqual(key);
        expect(parseRecoveryKey(printed.replaceAll('-', '').replaceAll('1', 'I'))).toEqual(key);
      }),
    );
  });

  test('one wrong symbol is found, with its group', () => {
    const symbols = Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZU*');
    const at = fc.tuple(keys, fc.nat(13), fc.nat(4), fc.constantFrom(...symbols));
    fc.assert(
      fc.property(at, ([key, group, place, symbol]) => {
        const printed = formatRecoveryKey(key);
        const i = group * 6 + place;
        fc.pre(printed[i] !== symbol);
        const error = failure(() => parseRecoveryKey(printed.slice(0, i) + symbol + printed.slice(i + 1)));
        expect(error.code).toBe('key/recovery-typo');
        expect(error.data).toEqual({ groups: String(group + 1) });
        expect(error.message).toContain(`Group ${group + 1} is`);
      }),
      { numRuns: 1000 },
    );
  });

  test('swapped neighbours and swapped groups are found', () => {
    fc.assert(
      fc.property(keys, fc.nat(12), fc.nat(3), (key, group, place) => {
        const printed = formatRecoveryKey(key);
        const i = group * 6 + place;
        const swapped = printed.slice(0, i) + printed[i + 1] + printed[i] + printed.slice(i + 2);
        fc.pre(swapped !== printed);
        expect(failure(() => parseRecoveryKey(swapped)).data).toEqual({ groups: String(group + 1) });
        const groups = printed.split('-');
        [groups[group], groups[group + 1]] = [groups[group + 1]!, groups[group]!];
        expect(failure(() => parseRecoveryKey(groups.join('-'))).code).toBe('key/recovery-typo');
      }),
    );
  });

  test('says when something is missing, and when a later version made it', () => {
    const printed = formatRecoveryKey(KEY);
    expect(failure(() => parseRecoveryKey(printed.slice(0, -1))).data).toEqual({ symbols: 69 });
    expect(failure(() => parseRecoveryKey('')).code).toBe('key/recovery-length');
    // The first symbol holds the version's bits and one of the key; its group's check symbol goes with it.
    const checks = Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
    const later = checks.map((check) => `2${printed.slice(1, 4)}${check}${printed.slice(5)}`);
    const codes = later.map((text) => failure(() => parseRecoveryKey(text)).code);
    expect(codes.filter((code) => code === 'key/recovery-version').length).toBe(1);
  });
});

describe('derived keys', () => {
  // I5 of docs/format/invariants.md.
  test('are HKDF-SHA-256 and never change', () => {
    const hmac = (key: Uint8Array, data: Uint8Array): Buffer => createHmac('sha256', key).update(data).digest();
    const info = Buffer.from('holdfast:blob-id\0context\x01');
    expect(deriveKey(KEY, 'blob-id', Buffer.from('context'))).toEqual(hmac(hmac(Buffer.alloc(32), KEY), info));
    expect(deriveKey(KEY, 'blob-id').toString('hex')).toBe(
      'b3f7e31e9b79930fb90429efbe5fae87eed19a086071a056657bcb0fbf0b5ef5',
    );
  });

  test('differ by master, label and context', () => {
    const other = Buffer.from(KEY).fill(1, 31);
    const derived = [
      deriveKey(KEY, 'a'),
      deriveKey(other, 'a'),
      deriveKey(KEY, 'b'),
      deriveKey(KEY, 'a', Buffer.from('b')),
      deriveKey(KEY, 'ab'),
    ].map((key) => key.toString('hex'));
    expect(new Set(derived).size).toBe(derived.length);
    expect(() => deriveKey(KEY.subarray(1), 'a')).toThrow(RangeError);
  });
});
