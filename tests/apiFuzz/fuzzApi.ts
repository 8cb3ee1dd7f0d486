import * as fc from 'fast-check';
import { SCOPES } from '../../src/domain/index.ts';
import type { Person } from '../service/person.ts';
import { nonce, PASSWORD, type TestService } from '../service/testService.ts';
import { operationsOf, type ApiDocument, type Operation } from './apiDocument.ts';
import { AnswerJudge } from './judgeAnswer.ts';
import { requestsOf, type FuzzRequest } from './requests.ts';

/** How much of it. */
export interface FuzzOptions {
  readonly seed: number;
  /** Requests to each operation. */
  readonly runs: number;
}

/** What was reached. */
export interface FuzzReport {
  readonly operations: number;
  readonly requests: number;
  /** By status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Who asks, by number, more often those who come further. */
const KINDS = [0, 1, 1, 1, 2, 2, 3];

/** A stream has no end: its headers are all that is looked at. */
const STREAMS = 'text/event-stream';

/** Asks every operation of the service's own document, as nobody, as an owner, as a program, and as a user with no rights. Throws at what is wrong, made smaller, with the seed. */
export async function fuzzApi(service: TestService, { seed, runs }: FuzzOptions): Promise<FuzzReport> {
  const document = await service.person().read<ApiDocument>('/api/v1/openapi.json');
  const operations = operationsOf(document);
  const judge = new AnswerJudge(document);
  const callers = await Callers.make(service);
  const statuses: Record<string, number> = {};
  const faults: string[] = [];
  let requests = 0;
  for (const operation of operations) {
    const ids = await callers.ids();
    const cases = fc.tuple(requestsOf(operation, (path) => Object.entries(ids).filter(([part]) => path.includes(part)).flatMap(([, found]) => found)), fc.constantFrom(...KINDS));
    const property = fc.asyncProperty(cases, async ([request, kind]) => {
      const answer = await ask(await callers.of(kind), operation, request);
      if (answer.status === 401) callers.forget(kind);
      requests++;
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const fault = judge.fault(operation, answer);
      if (fault !== undefined) throw new Error(`${operation.operationId} (${request.method} ${request.path.slice(0, 300)}): ${fault}`);
    });
    const details = await fc.check(property, { seed, numRuns: runs });
    if (details.failed) faults.push(`${String(details.errorInstance)}\n  smallest: ${JSON.stringify(details.counterexample)?.slice(0, 1_000)}`);
  }
  if (faults.length > 0) throw new Error(`seed ${seed}, ${runs} requests to each operation:\n${faults.join('\n')}`);
  return { operations: operations.length, requests, statuses };
}

async function ask(person: Person, operation: Operation, { method, path, body, headers }: FuzzRequest): Promise<{ status: number; headers: Headers; text: string }> {
  const ending = new AbortController();
  const response = await person.request(method, path, method === 'GET' ? undefined : body, { headers, signal: ending.signal });
  const stream = operation.responses[String(response.status)]?.content?.[STREAMS] !== undefined;
  const text = stream ? '' : await response.text();
  if (stream) ending.abort();
  return { status: response.status, headers: response.headers, text };
}

/** Who asks: nobody, an owner, a program of theirs, a user without rights. Each request comes from an address of its own, since addresses are limited. */
class Callers {
  readonly #service: TestService;
  #owner: Person;
  /** By kind; made anew where a request has ended a session, a token or a user. */
  readonly #known = new Map<number, Person>();

  private constructor(service: TestService, owner: Person) {
    this.#service = service;
    this.#owner = owner;
  }

  static async make(service: TestService): Promise<Callers> {
    return new Callers(service, await ownerWithUser(service));
  }

  /** 0 is nobody, 1 an owner, 2 a program of theirs, 3 a user without rights. */
  async of(kind: number): Promise<Person> {
    const caller = this.#service.person();
    const known = kind === 0 ? undefined : this.#known.get(kind) ?? await this.#make(kind);
    if (known === undefined) return caller;
    this.#known.set(kind, known);
    caller.cookies = new Map(known.cookies);
    caller.token = known.token;
    return caller;
  }

  /** The next one of the kind is another one. */
  forget(kind: number): void {
    this.#known.delete(kind);
  }

  /** By a part of the path. */
  async ids(): Promise<Readonly<Record<string, string[]>>> {
    const owner = await this.#signedIn();
    const of = async (path: string): Promise<string[]> => ((await owner.read<{ items: { id: string }[] }>(path)).items).map(({ id }) => id).slice(-3);
    return { '/users/': await of('/api/v1/users'), '/tokens/': await of('/api/v1/tokens'), '/sessions/': await of('/api/v1/sessions') };
  }

  async #make(kind: number): Promise<Person> {
    const owner = await this.#signedIn();
    if (kind === 1) return owner;
    return kind === 2 ? owner.withToken(...SCOPES) : this.#service.user(owner, { role: 'custom' });
  }

  /** One with a session that stands: to sign in again and again is limited, to sign up from another address is not. */
  async #signedIn(): Promise<Person> {
    const { status } = await this.#owner.call('GET', '/api/v1/account');
    if (status !== 200) this.#owner = await ownerWithUser(this.#service);
    return this.#owner;
  }
}

/** The user is there to be changed, and never signs in. */
async function ownerWithUser(service: TestService): Promise<Person> {
  const owner = await service.owner();
  await owner.must(201, 'POST', '/api/v1/users', { name: 'Spare', email: `${nonce()}@example.test`, password: PASSWORD, role: 'custom' });
  return owner;
}
