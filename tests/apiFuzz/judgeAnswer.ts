import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { ApiDocument, Operation } from './apiDocument.ts';

/** What came back. */
export interface FuzzAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const STACK = /node_modules|\.ts:\d|\bat [\w.<>]+ \(|Error:|SELECT |syntax error/;
const SENTENCE = /^\p{Lu}[\s\S]{8,}([.!)]|openapi\.json)$/u;

/** Says what is wrong with answers, by the service's own document; undefined: nothing. */
export class AnswerJudge {
  readonly #document: ApiDocument;
  readonly #ajv = formats.default(new Ajv2020({ strict: false }));
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: ApiDocument) {
    this.#document = document;
  }

  fault(operation: Operation, answer: FuzzAnswer): string | undefined {
    const { status, headers, text } = answer;
    const documented = operation.responses[String(status)];
    if (status >= 500) return `it failed: ${status} ${text}`;
    const type = headers.get('content-type')?.split(';')[0];
    if (status >= 400) return this.#refusalFault(operation, answer, type);
    if (documented === undefined) return `status ${status} is not in the document`;
    if (documented.content === undefined) return text === '' ? undefined : `a body where the document has none: ${text.slice(0, 200)}`;
    const schema = type === undefined ? undefined : documented.content[type]?.schema;
    if (schema === undefined) return `type ${type} is not in the document`;
    if (type !== 'application/json') return undefined;
    return this.#mismatch(`${operation.operationId} ${status}`, schema, text);
  }

  #refusalFault({ operationId, responses }: Operation, { headers, text, status }: FuzzAnswer, type: string | undefined): string | undefined {
    if (type !== 'application/problem+json') return `a refusal of type ${type}`;
    const mismatch = this.#mismatch(`${operationId} refusal`, responses['default']?.content?.['application/problem+json']?.schema ?? { not: {} }, text);
    if (mismatch !== undefined) return mismatch;
    const { detail, requestId, status: told, code } = JSON.parse(text) as { detail: string; requestId: string; status: number; code: string };
    if (told !== status) return `the problem tells ${told} in place of ${status}`;
    if (!SENTENCE.test(detail)) return `no sentence for a person: ${detail}`;
    if (STACK.test(text)) return `it tells of its inside: ${text}`;
    if (!/^(api|accounts|tasks)\/[a-z-]+$/.test(code)) return `an odd code: ${code}`;
    return requestId === headers.get('x-request-id') ? undefined : 'the number of the request is another one than that of its header';
  }

  #mismatch(name: string, schema: object, text: string): string | undefined {
    let validate = this.#compiled.get(name);
    if (validate === undefined) {
      validate = this.#ajv.compile({ ...schema, components: this.#document.components });
      this.#compiled.set(name, validate);
    }
    const value: unknown = JSON.parse(text);
    return validate(value) ? undefined : `not as the document says: ${this.#ajv.errorsText(validate.errors)} in ${text.slice(0, 500)}`;
  }
}
