import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBase64Lines, encodedLength, kernelLineCodec, scriptLineCodec } from './base64Lines.ts';
import { LEAST_DECODED, splitParts } from './parts.ts';
import type { Base64Part, Part } from './parts.ts';

const MAILS = new URL('../../../shared/reference/corpus/eml/', import.meta.url);
const kernel = kernelLineCodec();
const script = scriptLineCodec();

test('the kernel runs on this machine, so that these tests compare two codecs', () => {
  expect(kernel).toBeDefined();
});

/** Splits in every way there is, expects the same of all, and puts the message together again. */
function roundTrip(message: Buffer): { parts: Part[] | undefined; again: Buffer } {
  const parts = splitParts(message);
  const target = Buffer.alloc(message.length);
  const inTarget = splitParts(message, target);
  expect(inTarget).toEqual(parts);
  expect(Buffer.concat(decodedOf(inTarget)).equals(target.subarray(0, decodedLength(parts)))).toBe(true);
  expect(splitParts(message, target.subarray(0, 7000), script)).toEqual(parts);
  const again = Buffer.alloc(message.length, 0xee);
  let at = 0;
  for (const part of parts ?? [{ kind: 'raw', start: 0, end: message.length } as const]) {
    expect(part.start).toBe(at);
    if (part.kind === 'raw') message.copy(again, at, part.start, part.end);
    else expect(encode(part, again, at)).toBe(part.end - part.start);
    at = part.end;
  }
  expect(at).toBe(message.length);
  return { parts, again };
}

function encode(part: Base64Part, target: Buffer, at: number): number {
  const slow = Buffer.alloc(encodedLength(part.decoded.length, part.layout));
  encodeBase64Lines(part.decoded, part.layout, slow, 0, script);
  const length = encodeBase64Lines(part.decoded, part.layout, target, at, kernel);
  expect(slow.equals(target.subarray(at, at + length))).toBe(true);
  return length;
}

const decodedOf = (parts: Part[] | undefined): Buffer[] =>
  (parts ?? []).filter((part) => part.kind === 'base64').map((part) => part.decoded);

const decodedLength = (parts: Part[] | undefined): number =>
  decodedOf(parts).reduce((sum, decoded) => sum + decoded.length, 0);

function noise(seed: number, length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Folded as mailers do it, independent of the code under test. */
function fold(content: Buffer, line: number, eol: string): string {
  return (content.toString('base64').match(new RegExp(`.{1,${line}}`, 'g')) ?? []).join(eol);
}

const header = (eol: string, name = 'Content-Transfer-Encoding: base64'): string =>
  `Content-Type: application/pdf${eol}${name}${eol}Content-Disposition: attachment${eol}${eol}`;

describe('a plain attachment', () => {
  const content = noise(1, 20_001);
  const mail = (line: number, eol: string, end = `${eol}--b--${eol}`): Buffer =>
    Buffer.from(`Subject: x${eol}${eol}--b${eol}${header(eol)}${fold(content, line, eol)}${end}`);

  test.each([[76, '\r\n'], [76, '\n'], [72, '\r\n'], [64, '\n'], [60, '\r\n'], [16, '\n'], [20, '\r\n'], [4096, '\n']])(
    'in lines of %i, ended by %j, becomes a part of its own',
    (line, eol) => {
      const message = mail(line, eol);
      const { parts, again } = roundTrip(message);
      expect(again.equals(message)).toBe(true);
      expect(parts?.map((part) => part.kind)).toEqual(['raw', 'base64', 'raw']);
      const layout = { lineLength: line, eol: eol === '\n' ? 'lf' : 'crlf', finalEol: true };
      expect(parts?.[1]).toMatchObject({ layout });
      expect(decodedOf(parts)[0]?.equals(content)).toBe(true);
    },
  );

  test('may end the message without a line end', () => {
    const { parts } = roundTrip(mail(76, '\r\n', ''));
    expect(parts?.at(-1)).toMatchObject({ kind: 'base64', layout: { finalEol: false } });
    expect(decodedOf(parts)[0]?.equals(content)).toBe(true);
  });

  test.each([0, 1, 2, 54, 55, 56, 57])('of any length: 5700 bytes and %i more', (more) => {
    const body = noise(2, 5700 + more);
    for (const end of ['', '\r\n', '\n', '\r', '\r\n\r\n', '\r\n--b', '=', ' \r\n', 'AAAA\r\n']) {
      const message = Buffer.from(header('\r\n') + fold(body, 76, '\r\n') + end);
      const { parts, again } = roundTrip(message);
      expect(again.equals(message)).toBe(true);
      expect(decodedOf(parts).length).toBe(1);
    }
  });

  test.each([
    'content-transfer-encoding:base64',
    'Content-transfer-encoding: BASE64',
    'CONTENT-Transfer-Encoding:\tBase64 ',
  ])('is found by the header %j', (name) => {
    const message = Buffer.from(header('\r\n', name) + fold(content, 76, '\r\n'));
    expect(decodedOf(roundTrip(message).parts)[0]?.equals(content)).toBe(true);
  });

  test('is found in a large message whose own header is written in another way', () => {
    const inner = header('\n', 'Content-transfer-encoding: base64') + fold(noise(3, 30_000), 76, '\n');
    const outer = header('\n', 'Content-Transfer-Encoding: base64') + fold(content, 76, '\n');
    const message = Buffer.from(`--x\n${inner}\n--x\n${outer}\n--x--\n`);
    const { parts, again } = roundTrip(message);
    expect(again.equals(message)).toBe(true);
    expect(decodedOf(parts).map((part) => part.length)).toEqual([30_000, content.length]);
  });
});

describe('stays raw', () => {
  const body = fold(noise(4, 9000), 76, '\r\n');
  test.each([
    ['a small attachment', header('\r\n') + fold(noise(5, LEAST_DECODED - 1), 76, '\r\n')],
    ['lines that end inside a group of four', header('\r\n') + fold(noise(5, 9000), 75, '\r\n')],
    ['one endless line', header('\r\n') + noise(5, 9000).toString('base64')],
    ['spaces at line ends', header('\r\n') + fold(noise(5, 9000), 76, ' \r\n')],
    ['another encoding', header('\r\n', 'Content-Transfer-Encoding: base64x') + body],
    ['a word in the text', `\r\nmy Content-Transfer-Encoding: base64\r\n\r\n${body}`],
    ['a header that never ends', `Content-Transfer-Encoding: base64\r\n${body}`],
    ['the URL alphabet', header('\r\n') + body.replaceAll('+', '-').replaceAll('/', '_')],
  ])('%s', (_, text) => {
    expect(splitParts(Buffer.from(text))).toBeUndefined();
    expect(splitParts(Buffer.from(text), undefined, script)).toBeUndefined();
  });

  test('what comes after the first oddity', () => {
    const odd = `${body}\r\n${body.replace(/.\r\n/, '=\r\n')}`;
    const message = Buffer.from(header('\r\n') + odd);
    const { parts, again } = roundTrip(message);
    expect(again.equals(message)).toBe(true);
    expect(decodedOf(parts)[0]?.subarray(0, 9000).equals(noise(4, 9000))).toBe(true);
  });

  test('a last group whose unused bits are set', () => {
    const message = Buffer.from(`${header('\n')}${fold(noise(6, 5700), 76, '\n')}\nAB==\n`);
    expect(decodedOf(roundTrip(message).parts)[0]?.length).toBe(5700);
  });
});

/** Mails as they should be and as they should not be. */
const eols = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\n', '\n', '\r', '\n\r\n');
const leaf = fc
  .record({
    seed: fc.nat(255),
    length: fc.oneof(fc.nat(200), fc.integer({ min: 4000, max: 12_000 }), fc.integer({ min: 4096, max: 9000 })),
    line: fc.constantFrom(76, 76, 76, 72, 64, 60, 61, 75, 4, 998, 5000),
    eol: eols,
    bodyEol: eols,
    name: fc.constantFrom(
      'Content-Transfer-Encoding: base64',
      'Content-Transfer-Encoding: base64',
      'Content-Transfer-Encoding: base64',
      'Content-Transfer-Encoding: BASE64',
      'content-transfer-encoding:  base64',
      'Content-transfer-encoding: base64; x=y',
      'Content-Transfer-Encoding: 8bit',
      'Content-Transfer-Encoding:\r\n base64',
    ),
    end: fc.constantFrom('', '\r\n', '\n', '\r\n\r\n', ' ', '=', '==', '\r', 'A', '-'),
  })
  .map(({ seed, length, line, eol, bodyEol, name, end }) =>
    Buffer.from(header(eol, name) + fold(noise(seed, length), line, bodyEol) + end),
  );
const wounds = fc.array(fc.tuple(fc.nat(), fc.constantFrom('', ' ', '=', '\n', '\r\n', 'A', '-', '\0', '\xff')), {
  maxLength: 3,
});
const scrap = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes));
const mails = fc
  .tuple(fc.array(fc.oneof(leaf, scrap), { maxLength: 5 }), eols, wounds)
  .map(([leaves, eol, cuts]) => {
    let message = Buffer.concat(leaves.flatMap((part) => [Buffer.from(`${eol}--boundary${eol}`), part]));
    for (const [at, text] of cuts) {
      const place = at % (message.length + 1);
      message = Buffer.concat([message.subarray(0, place), Buffer.from(text, 'latin1'), message.subarray(place + 1)]);
    }
    return message;
  });

// I19 of docs/format/invariants.md.
test('any mail, sound or broken, comes out byte for byte', () => {
  let split = 0;
  fc.assert(
    fc.property(mails, (message) => {
      const { parts, again } = roundTrip(message);
      expect(again.equals(message)).toBe(true);
      split += decodedOf(parts).length;
    }),
    { numRuns: 3000 },
  );
  expect(split).toBeGreaterThan(100);
});

test('encoding is what the runtime does, folded', () => {
  const input = fc.tuple(fc.nat(255), fc.nat(5000), fc.integer({ min: 4, max: 40 }), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(input, ([seed, length, quads, crlf, finalEol]) => {
      const content = noise(seed, length);
      const layout = { lineLength: quads * 4, eol: crlf ? 'crlf' : 'lf', finalEol } as const;
      const eol = crlf ? '\r\n' : '\n';
      const expected = length === 0 ? '' : fold(content, quads * 4, eol) + (finalEol ? eol : '');
      for (const codec of [kernel, script]) {
        const target = Buffer.alloc(expected.length + 9, 0xee);
        expect(encodeBase64Lines(content, layout, target, 5, codec)).toBe(expected.length);
        expect(encodedLength(length, layout)).toBe(expected.length);
        expect(target.toString('latin1')).toBe(`\xee\xee\xee\xee\xee${expected}\xee\xee\xee\xee`);
      }
    }),
    { numRuns: 300 },
  );
  const layout = { lineLength: 76, eol: 'lf', finalEol: true } as const;
  expect(() => encodeBase64Lines(noise(1, 100), layout, Buffer.alloc(10), 0)).toThrow(RangeError);
  const odd = { ...layout, lineLength: 75 };
  expect(() => encodeBase64Lines(noise(1, 100), odd, Buffer.alloc(999), 0)).toThrow(RangeError);
});

test('the work grows with the length only, whatever is repeated', () => {
  // Each of these would take minutes if any search started over at each header.
  const line = 'Content-Transfer-Encoding: base64\n';
  const full = `${line}\n${'A'.repeat(76)}\n`;
  for (const unit of [line, `${line}\n`, `${line}\nAAAA\n`, full, `${line.trim()}${' '.repeat(99)}`]) {
    const message = Buffer.from(unit.repeat(Math.ceil(8_000_000 / unit.length)));
    expect(splitParts(message)).toBeUndefined();
  }
});

test.skipIf(!existsSync(MAILS))(`the mails of ${MAILS.pathname} (left out where they are not present)`, () => {
  const names = readdirSync(MAILS);
  let split = 0;
  for (const name of names) {
    const message = readFileSync(new URL(name, MAILS));
    const { parts, again } = roundTrip(message);
    expect(again.equals(message), name).toBe(true);
    split += decodedOf(parts).length;
  }
  console.log(`${names.length} mails, ${split} parts split`);
  expect(split).toBeGreaterThan(0);
});
