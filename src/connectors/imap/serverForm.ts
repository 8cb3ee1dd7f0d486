/**
 * A mail as servers keep it that know no line end but CRLF (Dovecot): a CR that stands alone before a line end or at the
 * end goes, an LF alone gets one. undefined where the bytes are so already.
 */
export function serverForm(bytes: Uint8Array): Buffer | undefined {
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isOdd(plain)) return undefined;
  const text = plain.toString('latin1').replaceAll(/\r(?=\n|$)/g, '').replaceAll(/(?<!\r)\n/g, '\r\n');
  return Buffer.from(text, 'latin1');
}

function isOdd(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] !== 13 || bytes[at - 2] === 13) return true;
  }
  return bytes.at(-1) === 13;
}
