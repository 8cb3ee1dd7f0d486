import { HoldfastError } from '../domain/index.ts';

const HEAD = 'account email';
const MOST_ADDRESS = 320;

/** A line of the file, as people count them. */
export interface AccountLine {
  readonly line: number;
  readonly address: string;
}

/**
 * The addresses of a CSV with the single column "Account Email": any line ends, with or without quotes, byte order mark and empty lines. Case of the head does not matter.
 * Errors: `tasks/invalid` for a file that is not that, with the line where it is not.
 */
export function readAccountList(csv: string): AccountLine[] {
  const lines = csv.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/).map((text, place) => ({ line: place + 1, text: text.trim() })).filter(({ text }) => text !== '');
  const [head, ...rest] = lines;
  if (head === undefined) throw notThat('The file is empty.');
  if (cellOf(head.text)?.toLowerCase().replaceAll(/\s+/g, ' ') !== HEAD) throw notThat('The first line is not "Account Email".');
  return rest.flatMap(({ line, text }) => {
    const address = cellOf(text);
    if (address === undefined) throw notThat(`Line ${line} is not one address: it has more than one column, or quotes that do not close.`);
    if (address.length > MOST_ADDRESS || /\p{Cc}/u.test(address)) throw notThat(`Line ${line} is no address.`);
    return address === '' ? [] : [{ line, address }];
  });
}

/** undefined: not a single one. */
function cellOf(text: string): string | undefined {
  const [, quoted] = /^"((?:[^"]|"")*)"$/.exec(text) ?? [];
  if (quoted !== undefined) return quoted.replaceAll('""', '"').trim();
  return /[",;\t]/.test(text) ? undefined : text;
}

function notThat(what: string): HoldfastError {
  return new HoldfastError('tasks/invalid', 'input', `${what} Send a CSV with the single column "Account Email": that as first line, then an address in each line. Nothing was activated.`);
}
