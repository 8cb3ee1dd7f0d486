import { mailHeaderLength } from '../../../../formats/index.ts';

/**
 * Whether a message in MIME form may have been cut, although its transfer ended as it should: its header has no end, a multipart lacks its last
 * boundary, or base64 stops between two groups of four. There are whole messages of this kind, too: who asks compares with a second reading. `start`
 * holds at least the header, `end` the last bytes.
 */
export function mayBeCut(start: Buffer, end: Buffer): boolean {
  const length = mailHeaderLength(start);
  const header = start.toString('latin1', 0, length);
  if (!/\r?\n\r?\n$/.test(header)) return true;
  const fields = header.replaceAll(/\r?\n[ \t]+/g, ' ');
  const boundary = boundaryOf(fields);
  if (boundary !== undefined) return !end.includes(`--${boundary}--`, undefined, 'latin1');
  return /^content-transfer-encoding:\s*base64\s*$/im.test(fields) && isBetweenGroups(start, length, end);
}

function boundaryOf(fields: string): string | undefined {
  const [, type = ''] = /^content-type:\s*(multipart\/.*)$/im.exec(fields) ?? [];
  const [, quoted, plain] = /boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(type) ?? [];
  return quoted ?? plain;
}

/** Lines of base64 hold whole groups, so the last line tells. */
function isBetweenGroups(start: Buffer, headerLength: number, end: Buffer): boolean {
  const body = start.length - headerLength < end.length ? start.subarray(headerLength) : end;
  const last = body.toString('latin1').trimEnd().split(/\r?\n/).at(-1) ?? '';
  return last.length % 4 !== 0;
}
