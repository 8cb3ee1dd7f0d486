import { badRequest } from '../server/graphFailure.ts';
import { tokensOf } from './filterTokens.ts';
import type { Token } from './filterTokens.ts';

type Value = unknown;
type Evaluate = (item: Record<string, Value>) => Value;
export type Predicate = (item: Record<string, Value>) => boolean;

/** What a filter needs, besides its truth: the properties that it names, so that unknown ones are refused. */
export interface Filter {
  readonly test: Predicate;
  readonly properties: readonly string[];
}

/**
 * Parses a $filter: comparisons, `and`, `or`, `not`, `in`, startswith, endswith, contains, any/all over collections. Texts compare without case,
 * as the service does. What it does not know is 400.
 */
export function parseFilter(text: string): Filter {
  const parser = new FilterParser(tokensOf(text), text);
  const evaluate = parser.whole();
  return { test: (item) => evaluate(item) === true, properties: [...parser.properties] };
}

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  eq: (order) => order === 0, ne: (order) => order !== 0, gt: (order) => order > 0, ge: (order) => order >= 0, lt: (order) => order < 0, le: (order) => order <= 0,
};
const TEXT_TESTS: Readonly<Record<string, (text: string, part: string) => boolean>> = {
  startswith: (text, part) => text.startsWith(part), endswith: (text, part) => text.endsWith(part), contains: (text, part) => text.includes(part),
};

class FilterParser {
  readonly properties = new Set<string>();
  readonly #tokens: readonly Token[];
  readonly #text: string;
  readonly #variables: string[] = [];
  #at = 0;

  constructor(tokens: readonly Token[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  whole(): Evaluate {
    const evaluate = this.#or();
    if (this.#peek() !== undefined) throw this.#wrong();
    return evaluate;
  }

  #or(): Evaluate {
    let left = this.#and();
    while (this.#takeWord('or')) {
      const [first, second] = [left, this.#and()];
      left = (item) => first(item) === true || second(item) === true;
    }
    return left;
  }

  #and(): Evaluate {
    let left = this.#not();
    while (this.#takeWord('and')) {
      const [first, second] = [left, this.#not()];
      left = (item) => first(item) === true && second(item) === true;
    }
    return left;
  }

  #not(): Evaluate {
    if (!this.#takeWord('not')) return this.#comparison();
    const inner = this.#not();
    return (item) => inner(item) !== true;
  }

  #comparison(): Evaluate {
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const left = this.#operand();
    const operator = this.#peek();
    if (operator?.kind !== 'word') return left;
    if (operator.text === 'in') {
      this.#at += 1;
      const list = this.#list();
      return (item) => list.some((value) => compare(left(item), value) === 0);
    }
    const accepts = ORDERS[operator.text];
    if (accepts === undefined) return left;
    this.#at += 1;
    const right = this.#operand();
    return (item) => {
      const order = compare(left(item), right(item));
      return order === undefined ? operator.text === 'ne' : accepts(order);
    };
  }

  #operand(): Evaluate {
    const token = this.#next();
    if (token.kind === 'literal') return () => token.value;
    if (token.kind !== 'word') throw this.#wrong();
    const textTest = TEXT_TESTS[token.text.toLowerCase()];
    if (textTest !== undefined && this.#take('(')) {
      const first = this.#operand();
      this.#expect(',');
      const second = this.#operand();
      this.#expect(')');
      return (item) => textTest(asText(first(item)), asText(second(item)));
    }
    return this.#path(token.text);
  }

  #path(first: string): Evaluate {
    const parts = [first];
    while (this.#take('/')) {
      const token = this.#next();
      if (token.kind !== 'word') throw this.#wrong();
      if ((token.text === 'any' || token.text === 'all') && this.#take('(')) return this.#lambda(parts, token.text);
      parts.push(token.text);
    }
    return this.#reader(parts);
  }

  #lambda(parts: readonly string[], quantifier: 'any' | 'all'): Evaluate {
    const read = this.#reader(parts);
    if (quantifier === 'any' && this.#take(')')) return (item) => asList(read(item)).length > 0;
    const variable = this.#next();
    if (variable.kind !== 'word') throw this.#wrong();
    this.#expect(':');
    this.#variables.push(variable.text);
    const inner = this.#or();
    this.#variables.pop();
    this.#expect(')');
    const holds = (item: Record<string, Value>) => (element: Value): boolean => inner({ ...item, [`$${variable.text}`]: element }) === true;
    return (item) => (quantifier === 'any' ? asList(read(item)).some(holds(item)) : asList(read(item)).every(holds(item)));
  }

  #reader(parts: readonly string[]): Evaluate {
    const [first = '', ...rest] = parts;
    const isVariable = this.#variables.includes(first);
    if (!isVariable) this.properties.add(first);
    const name = isVariable ? `$${first}` : first;
    return (item) => rest.reduce<Value>((value, part) => (typeof value === 'object' && value !== null ? (value as Record<string, Value>)[part] : undefined), item[name]);
  }

  #list(): Value[] {
    this.#expect('(');
    const values: Value[] = [];
    do {
      const token = this.#next();
      if (token.kind !== 'literal') throw this.#wrong();
      values.push(token.value);
    } while (this.#take(','));
    this.#expect(')');
    return values;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.#wrong();
    return token;
  }

  #take(sign: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #takeWord(word: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'word' || token.text !== word) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#wrong();
  }

  #wrong(): Error {
    return badRequest(`Invalid filter clause: syntax error at position ${this.#tokens[this.#at]?.at ?? this.#text.length} in '${this.#text}'.`);
  }
}

/** Order of two values; undefined where they cannot be compared. Times compare as times, texts without case. */
function compare(left: Value, right: Value): number | undefined {
  if (left === undefined || left === null || right === undefined || right === null) {
    return (left ?? null) === (right ?? null) ? 0 : undefined;
  }
  if (typeof left === 'string' && typeof right === 'string') {
    if (/^\d{4}-\d\d-\d\d/.test(left) && /^\d{4}-\d\d-\d\d/.test(right)) return Math.sign(Date.parse(left) - Date.parse(right));
    return Math.sign(left.toLowerCase() < right.toLowerCase() ? -1 : Number(left.toLowerCase() > right.toLowerCase()));
  }
  return typeof left === typeof right && typeof left !== 'object' ? Math.sign(Number(left) - Number(right)) : undefined;
}

function asText(value: Value): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function asList(value: Value): Value[] {
  return Array.isArray(value) ? value : [];
}
