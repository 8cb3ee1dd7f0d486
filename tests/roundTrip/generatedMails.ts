import type { NastyMail } from './nastyMails.ts';

/** mulberry32: the same numbers for the same seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const WORDS = 'Wichtig meeting 日本語 re: fwd: =?utf-8?B?w7w=?= invoice 4711 Ünïcödé ‘quoted’ <b> 😀 report \t tab'.split(' ');

/** Mails of all shapes, a tenth of them broken in some way; one after another, so that many need no memory. */
export function* generatedMails(seed: number, count: number): Generator<NastyMail> {
  const below = randomNumbers(seed);
  const words = (most: number): string => Array.from({ length: 1 + below(most) }, () => WORDS[below(WORDS.length)] ?? '').join(' ');
  const shared = Array.from({ length: 20 }, (_, i) => noise(below, 500 + i * 4000));
  for (let i = 0; i < count; i++) {
    const text = Array.from({ length: below(40) }, () => words(12)).join('\r\n');
    const parts = below(3) === 0 ? [below(2) === 0 ? shared[below(shared.length)] ?? '' : noise(below, below(30_000))] : [];
    const head = `From: ${words(2)} <p${below(500)}@example.test>\r\nSubject: ${words(8)}\r\nMessage-ID: <${seed}.${i}@example.test>\r\n`
      + `Date: Tue, 02 Jan 2024 03:04:${String(below(60)).padStart(2, '0')} +0100\r\n`;
    const bytes = Buffer.from(parts.length === 0 ? `${head}\r\n${text}\r\n` : withParts(head, text, parts), 'utf8');
    yield { name: `generated ${i}`, bytes: below(10) === 0 ? broken(bytes, below) : bytes };
  }
}

function noise(below: (limit: number) => number, length: number): string {
  return Buffer.from(Array.from({ length }, () => below(256))).toString('base64').replace(/.{76}/g, '$&\r\n');
}

function withParts(head: string, text: string, parts: readonly string[]): string {
  const attached = parts.map((part) => `--b\r\nContent-Type: application/octet-stream; name="x"\r\nContent-Transfer-Encoding: base64\r\n\r\n${part}\r\n`);
  return `${head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n${attached.join('')}--b--\r\n`;
}

/** Cut off, with bytes exchanged, without its head, or with other line ends. Never a NUL: servers change those. */
function broken(bytes: Buffer, below: (limit: number) => number): Buffer {
  switch (below(4)) {
    case 0: return bytes.subarray(0, 1 + below(bytes.length));
    case 1: {
      const copy = Buffer.from(bytes);
      for (let i = 0; i < 20; i++) copy[below(copy.length)] = 1 + below(255);
      return copy;
    }
    case 2: return bytes.subarray(Math.min(bytes.length - 1, below(300)));
    default: return Buffer.from(bytes.toString('latin1').replaceAll('\r\n', below(2) === 0 ? '\n' : '\r'), 'latin1');
  }
}
