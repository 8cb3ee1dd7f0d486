import { badRequest } from '../server/graphFailure.ts';

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'sign'; readonly text: string; readonly at: number }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly at: number };

const PATTERN = /\s*(?:'((?:[^']|'')*)'|([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)|(-?\d+(?:\.\d+)?)|([A-Za-z_@][\w.]*)|([()/,:]))/iy;

/** Cuts a filter into words, signs and literals. A guid and a time stand without quotes; both become texts. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    PATTERN.lastIndex = at;
    const match = PATTERN.exec(text);
    if (match === null) throw badRequest(`Invalid filter clause: syntax error at position ${at} in '${text}'.`);
    tokens.push(tokenOf(match, at));
    at = PATTERN.lastIndex;
  }
  if (tokens.length === 0) throw badRequest('Invalid filter clause: it is empty.');
  return tokens;
}

function tokenOf(match: RegExpExecArray, at: number): Token {
  const [, quoted, guid, time, number, word, sign] = match;
  if (quoted !== undefined) return { kind: 'literal', value: quoted.replaceAll("''", "'"), at };
  if (guid !== undefined) return { kind: 'literal', value: guid, at };
  if (time !== undefined) return { kind: 'literal', value: time, at };
  if (number !== undefined) return { kind: 'literal', value: Number(number), at };
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true', at };
  if (word === 'null') return { kind: 'literal', value: null, at };
  return word === undefined ? { kind: 'sign', text: sign ?? '', at } : { kind: 'word', text: word, at };
}
