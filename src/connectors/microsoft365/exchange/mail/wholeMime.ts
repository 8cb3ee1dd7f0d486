import { mailHeaderLength } from '../../../../formats/index.ts';

const LINE_FEED = 10;

/**
 * Whether a message in MIME form may have been cut, although its transfer ended as it should: the end of a multipart is missing, or that of the last
 * line. There are whole messages of this kind, too: who asks compares with a second reading. `start` holds at least the header, `end` the last bytes.
 */
export function mayBeCut(start: Buffer, end: Buffer): boolean {
  if (end.at(-1) !== LINE_FEED) return true;
  const boundary = boundaryOf(start.toString('latin1', 0, Math.min(mailHeaderLength(start), start.length)));
  return boundary !== undefined && !end.includes(`--${boundary}--`, undefined, 'latin1');
}

function boundaryOf(header: string): string | undefined {
  const unfolded = header.replaceAll(/\r?\n[ \t]+/g, ' ');
  const [, type = ''] = /^content-type:\s*(multipart\/.*)$/im.exec(unfolded) ?? [];
  const [, quoted, plain] = /boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(type) ?? [];
  return quoted ?? plain;
}
