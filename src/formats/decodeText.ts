const MOST_CHARSETS = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const western = new TextDecoder('windows-1252');

/** Names of character sets that a mail mentions anywhere, without UTF-8 and those that nobody here knows. */
export function namedCharsets(mail: Uint8Array): string[] {
  const found = new Set<string>();
  const text = Buffer.from(mail.buffer, mail.byteOffset, mail.byteLength).toString('latin1');
  for (const [, name = ''] of text.matchAll(/charset\s*=\s*"?([\w.:+-]{2,40})/gi)) {
    const known = knownCharset(name);
    if (known !== undefined && known !== 'utf-8') found.add(known);
    if (found.size >= MOST_CHARSETS) break;
  }
  return [...found];
}

function knownCharset(name: string): string | undefined {
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return undefined;
  }
}

/**
 * Bytes that do not say how they are written: by their byte order mark, as UTF-8 where they are that, as the first of
 * `charsets` that fits, and as windows-1252, which always does.
 */
export function decodeText(bytes: Uint8Array, charsets: readonly string[]): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // Seven bits, and valid UTF-8: only its own escapes tell this one.
  const escaped = bytes.includes(0x1b) ? ['iso-2022-jp'] : [];
  for (const decoder of [...escaped.map(fatal), utf8, ...charsets.map(fatal)]) {
    try {
      return decoder.decode(bytes);
    } catch {
      continue;
    }
  }
  return western.decode(bytes);
}

function fatal(charset: string): InstanceType<typeof TextDecoder> {
  return new TextDecoder(charset, { fatal: true });
}
