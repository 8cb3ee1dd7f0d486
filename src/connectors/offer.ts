/** How many entities are activated at once. 'csv': a list of addresses; 'attributes': what the directory says of them. */
export type BulkWay = 'attributes' | 'csv';

/** How a service is offered for backup tasks, and reached on behalf of a customer. Everything that is said of it to people comes from here. */
export interface Offer {
  /** As the service's descriptor calls it. */
  readonly service: string;
  readonly title: string;
  /** What people call its entities. */
  readonly noun: { readonly one: string; readonly many: string };
  readonly includes: readonly string[];
  /** What has to be at hand before a task is made, each a sentence. */
  readonly needs: readonly string[];
  /** Advice for who authorises, each a sentence. */
  readonly advice: readonly string[];
  /** 'consent': an administrator agrees on a page of the provider. 'credentials': they are typed here. */
  readonly authorisation: 'consent' | 'credentials';
  /** Titles of the kinds that its entities can have. */
  readonly kinds: Readonly<Record<string, string>>;
  /** Whether the provider licenses entities. */
  readonly licences: boolean;
  readonly bulk: readonly BulkWay[];
  /** Titles of the properties that the directory has of entities. */
  readonly attributes: Readonly<Record<string, string>>;
  /** What who runs the service has to set first, in words; undefined: nothing, tasks can be made. */
  readonly missing: string | undefined;
}

/** What was authorised. `secret` is JSON that the connector alone understands: whoever keeps it seals it. */
export interface Authorised {
  readonly secret: string;
  /** Whose it is: a task stays with one, however often it is authorised again. */
  readonly identity: string;
  /** The same for people. */
  readonly label: string;
}

/** What a person types for a service that has no page of consent. */
export interface Credentials {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user: string;
  readonly password: string;
  readonly tls?: 'on' | 'starttls' | 'off' | undefined;
  /** PEM of the authority to trust in place of the system's. */
  readonly ca?: string | undefined;
}

/** Where the browser is to go next. `memory` is handed back with the answer; it may hold secrets. */
export interface ConsentStep {
  readonly url: string;
  readonly memory: string;
}

/** What came of a step. */
export type ConsentAnswer =
  | { readonly result: 'authorised'; readonly authorised: Authorised }
  | { readonly result: 'next'; readonly step: ConsentStep }
  /** `code`: small letters and '-'. `why`: a sentence for a person. */
  | { readonly result: 'refused'; readonly code: string; readonly why: string };

/** What stays the same in all steps of one consent, but for `state`, which is new with each. */
export interface ConsentWay {
  /** Where the provider sends the browser back to. */
  readonly returnTo: string;
  readonly state: string;
}

/** Consent on pages of the provider. Who comes back with an answer is not yet believed: what the browser says of itself proves nothing. */
export interface Consent {
  begin(way: ConsentWay): ConsentStep;
  /** `nextWay` is for a step that follows. Throws where the provider does not answer, or says what must not be. */
  answer(query: URLSearchParams, asked: ConsentWay & { readonly memory: string }, nextWay: ConsentWay, signal: AbortSignal): Promise<ConsentAnswer>;
}

/** An entity as the provider lists it. */
export interface FoundEntity {
  /** As a snapshot of it names it: stable, also where name and address change. */
  readonly reference: string;
  readonly name: string;
  readonly address: string;
  /** One of the offer's kinds. */
  readonly kind: string;
  /** undefined: the service knows no licences. */
  readonly licensed: boolean | undefined;
  /** By the names of the offer; what the directory does not say is left out. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A service as the control plane works with it. One of `consent` and `credentials` is there, as the offer says. */
export interface TaskService {
  readonly offer: Offer;
  readonly consent?: Consent;
  /** Tries them for real; throws a sentence that says what to change. */
  readonly credentials?: (given: Credentials, signal: AbortSignal) => Promise<Authorised>;
  /** All entities that there are, in batches. Throws where not all of them could be listed. */
  entities(secret: string, signal: AbortSignal): AsyncIterable<readonly FoundEntity[]>;
}
