import { crc32, deflateSync } from 'node:zlib';
import { Dice } from './dice.ts';

/** A small valid PNG whose pattern the words decide: photos of people, logos in signatures. */
export function makePicture(pixels: number, ...words: readonly (string | number)[]): Buffer {
  const dice = new Dice('picture', ...words);
  const colours = [0, 1].map(() => [dice.int(256), dice.int(256), dice.int(256)]);
  const cells = Array.from({ length: 64 }, () => dice.int(2));
  const rows = Buffer.alloc(pixels * (pixels * 3 + 1));
  for (let y = 0; y < pixels; y++) {
    for (let x = 0; x < pixels; x++) {
      const cell = cells[Math.floor((y * 8) / pixels) * 8 + Math.floor((x * 8) / pixels)] ?? 0;
      for (let channel = 0; channel < 3; channel++) rows[y * (pixels * 3 + 1) + 1 + x * 3 + channel] = colours[cell]?.[channel] ?? 0;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(pixels, 0);
  header.writeUInt32BE(pixels, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
