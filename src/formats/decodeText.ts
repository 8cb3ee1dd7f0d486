const MOST_CHARSETS = 8;
const western = new TextDecoder('windows-1252');

/** Names of character sets that a mail or a page mentions anywhere, without UTF-8 and those that nobody here knows. */
export function namedCharsets(content: Uint8Array): string[] {
  const found = new Set<string>();
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  for (const [, name = ''] of text.matchAll(/charset\s*=\s*["']?([\w.:+-]{2,40})/gi)) {
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
 * `charsets` that fits, and as windows-1252, which always does. `cut`: they may end in the middle of a character.
 */
export function decodeText(bytes: Uint8Array, charsets: readonly string[], { cut = false }: { readonly cut?: boolean } = {}): string {
  const marked = markedCharset(bytes);
  if (marked !== undefined) return new TextDecoder(marked).decode(bytes);
  // Seven bits, and valid UTF-8: only its own escapes tell this one.
  const escaped = bytes.includes(0x1b) ? ['iso-2022-jp'] : [];
  for (const charset of [...escaped, 'utf-8', ...charsets]) {
    try {
      // What is streamed may go on: the beginning of a character at the end is no fault.
      return new TextDecoder(charset, { fatal: true }).decode(bytes, { stream: cut });
    } catch {
      continue;
    }
  }
  return western.decode(bytes);
}

/** By the byte order mark of UTF-16. */
export function markedCharset([first, second]: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}
