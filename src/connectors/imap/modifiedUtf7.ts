/**
 * Mailbox names as IMAP4rev1 writes them (RFC 3501 section 5.1.3): UTF-16BE in base64 with ',' for '/', between '&' and '-'.
 */

const PRINTABLE_RUN = /[\x20-\x7e]+|[^\x20-\x7e]+/g;

/** The wire form of a name. */
export function encodeModifiedUtf7(name: string): string {
  return name.replace(PRINTABLE_RUN, (run) => {
    if (/^[\x20-\x7e]/.test(run)) return run.replaceAll('&', '&-');
    const bytes = Buffer.from(run, 'utf16le').swap16();
    return `&${bytes.toString('base64').replaceAll('=', '').replaceAll('/', ',')}-`;
  });
}

/** The readable form; parts that are not valid (some servers send UTF-8 or a bare '&') stay as they are. */
export function decodeModifiedUtf7(wire: string): string {
  return wire.replace(/&([A-Za-z0-9+,]*)-/g, (whole, base64: string) => {
    if (base64 === '') return '&';
    const bytes = Buffer.from(base64.replaceAll(',', '/'), 'base64');
    if (bytes.length === 0 || bytes.length % 2 !== 0) return whole;
    return bytes.swap16().toString('utf16le');
  });
}
