/** Bytes of UTF-8 that a name may have: with what is added to it, it fits every file system in use. */
const LONGEST = 150;
/** A longer ending is no file type, and may be cut. */
const LONGEST_EXTENSION = 12;

// Control characters and separators of Windows; marks that turn the direction of writing and would show another name.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f/\\:*?"<>|\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g;

/** Devices of Windows, with any extension. Source: "Naming Files, Paths, and Namespaces" of the Windows documentation. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\s*(\.|$))/i;

/**
 * A name that a file or folder can have on Linux, macOS and Windows alike, as close to `name` as that allows. Never empty, '.'
 * or '..', never with a separator; at most 150 bytes. Several names may become one: the caller tells them apart.
 */
export function safeFileName(name: string): string {
  const clean = name.toWellFormed().normalize('NFC').replaceAll(FORBIDDEN, '_').trim();
  // Windows drops dots and blanks at the end, so that two names would be one.
  const ended = cutName(clean.replace(/[. ]+$/, (end) => '_'.repeat(Math.min(end.length, 3))), LONGEST);
  return ended === '' ? '_' : ended.replace(DEVICE, '_$1');
}

/** `name` with `mark` before its extension; what is too long is cut before it. */
export function markedFileName(name: string, mark: string): string {
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length);
  return `${cutText(stem, LONGEST - Buffer.byteLength(extension) - Buffer.byteLength(mark))}${mark}${extension}`;
}

/** Equal for two names that a file system may take for one: macOS and Windows do not tell case apart. */
export function sameFileName(name: string): string {
  return name.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');
}

function cutName(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  const extension = extensionOf(name);
  const stem = cutText(name.slice(0, name.length - extension.length), bytes - Buffer.byteLength(extension));
  return `${stem.trimEnd()}${extension}`;
}

function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 && name.length - dot <= LONGEST_EXTENSION ? name.slice(dot) : '';
}

/** As many whole characters as fit. */
function cutText(text: string, bytes: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
