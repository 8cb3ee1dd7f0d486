import { createHash } from 'node:crypto';

type Row = Readonly<Record<string, unknown>>;

/** What a call of the library's adapter may hold; all of its methods but `transaction` take one. */
interface AdapterCall {
  readonly model: string;
  readonly where?: readonly { readonly field: string; readonly value: unknown }[];
  readonly data?: Row;
  readonly update?: Row;
}

type Method = (call: AdapterCall) => Promise<unknown>;

const METHODS = ['create', 'findOne', 'findMany', 'count', 'update', 'updateMany', 'delete', 'deleteMany', 'consumeOne', 'incrementOne'] as const;
const MODEL = 'session';
const FIELD = 'token';

/** A digest of a digest would find nothing. */
const done = new WeakSet<object>();

/** As the database has it: 256 random bits need no slow hash. */
export function sessionDigest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/**
 * The library looks for sessions by their token, and would keep it as it is. With this the database has its digest alone: who reads the database, or a
 * copy of it, has no session. Changes `adapter` in place, since the library holds on to it, and each that it makes for a transaction. A token that came
 * from the database is a digest and finds nothing: the library ends sessions by their user then.
 */
export function hashSessionTokens(adapter: object): void {
  if (done.has(adapter)) return;
  done.add(adapter);
  const methods = adapter as Record<string, Method>;
  for (const name of METHODS) {
    const inner = methods[name];
    if (inner === undefined) throw new Error(`the sign-in library's adapter has no ${name}`);
    methods[name] = async (call) => {
      if (call.model !== MODEL) return inner(call);
      const known = new Map<unknown, string>();
      const hashed = (value: unknown): unknown => hashAll(value, known);
      const row = (values: Row): Row => (FIELD in values ? { ...values, [FIELD]: hashed(values[FIELD]) } : values);
      const answer = await inner({
        ...call, ...(call.data && { data: row(call.data) }), ...(call.update && { update: row(call.update) }),
        ...(call.where && { where: call.where.map((condition) => (condition.field === FIELD ? { ...condition, value: hashed(condition.value) } : condition)) }),
      });
      return restored(answer, known);
    };
  }
  const transactions = adapter as { transaction: (work: (inner: object) => unknown) => unknown };
  const begin = transactions.transaction;
  transactions.transaction = (work) => begin((inner) => {
    hashSessionTokens(inner);
    return work(inner);
  });
}

function hashAll(value: unknown, known: Map<unknown, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => hashAll(one, known));
  if (typeof value !== 'string') return value;
  const digest = sessionDigest(value);
  known.set(digest, value);
  return digest;
}

/** Rows as the library wrote them, or asked for them. */
function restored(answer: unknown, known: ReadonlyMap<unknown, string>): unknown {
  if (Array.isArray(answer)) return answer.map((one) => restored(one, known));
  if (typeof answer !== 'object' || answer === null || !(FIELD in answer)) return answer;
  return { ...answer, [FIELD]: known.get(answer[FIELD]) ?? answer[FIELD] };
}
