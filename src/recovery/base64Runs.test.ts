import { expect, test } from 'vitest';
import { seededBytes, seededNumbers, seededRandom, testSeed } from '../../tests/repository/seeded.ts';
import { readPart, readPreview } from '../formats/index.ts';
import type { StoredPart } from '../repository/index.ts';
import { Base64Runs, decodedRun, type Base64Run } from './base64Runs.ts';
import { mailSkeleton } from './mailSkeleton.ts';
import { partBytes, storedBytes } from './partBytes.ts';

const seed = testSeed();

/** Bytes as a stored part, in pieces of one size. */
function partOf(bytes: Buffer, size: number): StoredPart {
  return {
    base64: undefined, length: bytes.length,
    async* pieces(from = 0) {
      for (let at = from; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    },
  };
}

async function scanned(part: StoredPart): Promise<{ text: string; runs: Base64Run[] }> {
  const texts: Buffer[] = [];
  const runs: Base64Run[] = [];
  const scan = new Base64Runs({ text: (bytes) => void texts.push(Buffer.from(bytes)), run: (run) => { runs.push(run); texts.push(Buffer.from('[run]')); } }, { leastLine: 56, long: () => 1000 });
  for await (const piece of part.pieces()) scan.push(piece);
  scan.end();
  return { text: Buffer.concat(texts).toString('latin1'), runs };
}

test(`long runs are told from all else, and what they say comes back, however the bytes are cut (HOLDFAST_SEED=${seed})`, async () => {
  const random = seededNumbers(seed);
  const folded = (name: string, length: number, line: number, eol: string): string => seededBytes(`${seed}/${name}`, length).toString('base64').replaceAll(new RegExp(`.{${line}}`, 'g'), `$&${eol}`);
  const head = 'Content-Type: x\r\n\r\n';
  const whole = `${head}${folded('a', 3000, 76, '\r\n')}\r\n--b\r\n${head}${folded('short', 500, 76, '\r\n')}\r\n--b\nlines:\n${'x'.repeat(5000)}\n${folded('b', 4001, 60, '\n')}\n${folded('narrow', 3000, 40, '\n')}\nend`;
  for (const size of [1, 7, 100, 4096, 1 + Math.floor(random() * 3000)]) {
    const part = partOf(Buffer.from(whole), size);
    const { text, runs } = await scanned(part);
    expect(runs.map(({ line, eol }) => [line, eol])).toEqual([[76, 2], [60, 1]]);
    let back = text;
    for (const [i, run] of runs.entries()) {
      const pieces: Buffer[] = [];
      const stored = decodedRun(part, run);
      for await (const piece of stored.pieces()) pieces.push(piece);
      const decoded = Buffer.concat(pieces);
      expect(decoded).toHaveLength(stored.length);
      expect(decoded).toEqual(seededBytes(`${seed}/${i === 0 ? 'a' : 'b'}`, i === 0 ? 3000 : 4001).subarray(0, stored.length));
      back = back.replace('[run]', decoded.toString('base64').replaceAll(new RegExp(`.{${run.line}}`, 'g'), `$&${run.eol === 2 ? '\r\n' : '\n'}`));
    }
    expect(back).toBe(whole);
  }
});

test('a mail that is not kept in parts is shown like any other, and its large attachment comes back', async () => {
  const large = seededBytes(`${seed}/large`, 2_500_001);
  const inner = 'Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain\r\n\r\ninner\r\n--i\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  const base64 = large.toString('base64').replaceAll(/.{76}/g, '$&\r\n');
  const mail = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>hi</b>\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${inner}${base64}\r\n--i--\r\n--b\r\n`
    + `Content-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--b--\r\n`;
  const { input, leftOut } = await mailSkeleton([partOf(Buffer.from(mail), 70_000)], seededRandom(seed));
  expect([input.content.length < 2000, input.cut, leftOut.length]).toEqual([true, false, 2]);
  const { parts, body, remarks } = await readPreview({ form: 'mail' }, input);
  expect([body?.html, parts.map(({ size }) => size), parts[0]?.preview?.parts.map(({ size }) => size), remarks]).toEqual([
    '<b>hi</b>\n', [Buffer.byteLength(`${inner}${base64}\r\n--i--\r\n`.replaceAll('\r\n', '\n')), large.length], [large.length], [],
  ]);
  for (const id of ['2', '1.1', '1']) {
    const { segments } = await readPart({ form: 'mail' }, input, id);
    const { size, pieces } = partBytes(segments, { leftOut: input.leftOut, bytes: ({ number, as }) => storedBytes(leftOut[number], as) });
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    const bytes = Buffer.concat(all);
    expect(bytes).toHaveLength(size);
    if (id === '1') expect(bytes.toString()).toBe(`${inner}${base64}\r\n--i--\r\n`.replaceAll('\r\n', '\n'));
    else expect(bytes.equals(large)).toBe(true);
  }
});
