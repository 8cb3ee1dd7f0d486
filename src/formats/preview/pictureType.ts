const starts = (bytes: Uint8Array, text: string, at = 0): boolean => Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(text.length, Math.max(0, bytes.length - at))).toString('latin1') === text;

/** The type of a picture that is pixels alone, by its first bytes; undefined for anything else, whatever it is called. */
export function pictureType(bytes: Uint8Array): string | undefined {
  if (starts(bytes, '\x89PNG\r\n\x1a\n')) return 'image/png';
  if (starts(bytes, '\xff\xd8\xff')) return 'image/jpeg';
  if (starts(bytes, 'GIF87a') || starts(bytes, 'GIF89a')) return 'image/gif';
  if (starts(bytes, 'RIFF') && starts(bytes, 'WEBP', 8)) return 'image/webp';
  return starts(bytes, 'BM') && bytes.length > 26 ? 'image/bmp' : undefined;
}

/** As an address that holds the picture itself; undefined where it is none, or larger than `most` bytes. */
export function pictureAddress(bytes: Uint8Array, most: number): string | undefined {
  const type = bytes.length <= most ? pictureType(bytes) : undefined;
  return type === undefined ? undefined : `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}`;
}
