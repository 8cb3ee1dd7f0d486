import { HoldfastError, isHoldfastError, type Progress } from '../../../../domain/index.ts';
import { hasCode, oddAnswer } from '../../graph/graphErrors.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import type { MailboxAccess } from '../subService.ts';
import { exportPath, isDenial } from './exportPath.ts';
import { ImportMark } from './importMark.ts';

const PURPOSE = 'import items as streams (MailboxItem.ImportExport.All)';
/** An address is not used in its last minute. */
const MARGIN_MS = 60_000;
/** A multiple of three, so that no base64 has padding but the last. */
const PIECE = 3 << 18;
/** Of one that names no end: Microsoft's examples show half an hour and more. */
const USUAL_LIFE_MS = 10 * 60_000;

/** Where a stream goes: into a folder as a new item, or over an item of that folder. */
export interface StreamPlace {
  readonly folderId: string;
  /** The item that it takes the place of. */
  readonly over?: string;
}

interface Session {
  readonly address: string;
  readonly until: number;
}

/**
 * Puts streams into one mailbox (fact 55). The service makes the item as it was: with its people, times and flags, and without sending anything to anybody. Whether the tenant
 * grants that is asked with the first stream; where it does not, that is told once.
 */
export class StreamImport {
  readonly #access: MailboxAccess;
  readonly #tell: Progress | undefined;
  #granted: Promise<boolean> | undefined;
  #session: Promise<Session> | undefined;
  #base: Promise<string> | undefined;
  readonly #mark: ImportMark;
  #mayBeThere = false;

  constructor(access: MailboxAccess, tell: Progress | undefined) {
    this.#access = access;
    this.#tell = tell;
    this.#mark = new ImportMark(access);
  }

  /** An earlier restore was stopped: what is to be imported may be there already, without an origin. Known once it {@link isGranted}. */
  get mayBeThere(): boolean { return this.#mayBeThere; }

  /** Asked before something is written; a dry run does not ask. */
  async isGranted(signal: AbortSignal): Promise<boolean> {
    this.#granted ??= this.#probe(signal).catch((error: unknown) => {
      this.#granted = undefined;
      throw error;
    });
    return await this.#granted;
  }

  async #probe(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#open(signal);
      this.#mayBeThere = await this.#mark.begin(signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // What is no denial may be one for today: the readable form is there.
      if (!isHoldfastError(error) || !(isDenial(error) || hasCode(error, 'refused', 'unavailable', 'odd-answer'))) throw error;
      this.#tell?.({ type: 'warning', item: 'Full-fidelity streams', code: 'restore/no-streams', message: `Items are given back in their readable form. ${error.message}` });
      return false;
    }
  }

  /** Everything has its origin. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.#mark.end(signal);
  }

  /** What the paths of mailbox import and export begin with. */
  async base(signal: AbortSignal): Promise<string> {
    this.#base ??= exportPath(this.#access, signal).catch((error: unknown) => {
      this.#base = undefined;
      throw error;
    });
    return await this.#base;
  }

  /**
   * Sends a stream, once: of class 'resume' is the error where nobody knows whether it arrived. Returns the id of the item. An address that the service knows no longer is asked for
   * anew; before that nothing was taken.
   */
  async put(place: StreamPlace, bytes: Uint8Array, signal: AbortSignal): Promise<string> {
    const session = await this.#open(signal);
    try {
      return await this.#send(session, place, bytes, signal);
    } catch (error) {
      if (!hasCode(error, 'token-refused', 'no-permission', 'sync-lost')) throw error;
      this.#session = undefined;
      return await this.#send(await this.#open(signal), place, bytes, signal);
    }
  }

  async #send({ address }: Session, place: StreamPlace, bytes: Uint8Array, signal: AbortSignal): Promise<string> {
    const { graph, budget } = this.#access;
    const reply = await graph.transfer('POST', address, { purpose: PURPOSE, budget, signal, headers: { 'content-type': 'application/json' }, body: bodyOf(place, bytes) });
    const id = textOf(readAnswer(reply.bytes), 'itemId');
    if (id === '') throw lost(oddAnswer('the id of the item that was imported'));
    return id;
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const now = this.#access.runtime.clock.now();
    if (this.#session !== undefined && (await this.#session).until - MARGIN_MS <= now) this.#session = undefined;
    this.#session ??= this.#begin(signal).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return await this.#session;
  }

  async #begin(signal: AbortSignal): Promise<Session> {
    const { graph, budget, runtime } = this.#access;
    const shown = await graph.ask(`${await this.base(signal)}/createImportSession`, { purpose: PURPOSE, budget, signal });
    const [address, ends] = [textOf(shown, 'importUrl'), Date.parse(textOf(shown, 'expirationDateTime'))];
    if (address === '') throw oddAnswer('an address for streams');
    return { address, until: Number.isNaN(ends) ? runtime.clock.now() + USUAL_LIFE_MS : ends };
  }
}

/** The document with the stream in base64, written into the one buffer that is sent: streams are large, and several are on their way. */
function bodyOf({ folderId, over }: StreamPlace, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const fields = { FolderId: folderId, Mode: over === undefined ? 'create' : 'update', ...(over === undefined ? {} : { ItemId: over }) };
  const [head, end] = [Buffer.from(`${JSON.stringify(fields).slice(0, -1)},"Data":"`), Buffer.from('"}')];
  const stream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const body = Buffer.allocUnsafeSlow(head.length + Math.ceil(stream.length / 3) * 4 + end.length);
  let at = head.copy(body);
  for (let from = 0; from < stream.length; from += PIECE) at += body.write(stream.toString('base64', from, Math.min(from + PIECE, stream.length)), at, 'latin1');
  end.copy(body, at);
  return body;
}

/** Whether an error says that this stream was not taken, so that the item is to be given back in another way. */
export function isRefusedStream(error: unknown): error is HoldfastError {
  return hasCode(error, 'refused', 'not-found') || (isHoldfastError(error) && error.data['status'] === 413);
}

function readAnswer(bytes: Buffer): Entry {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? value as Entry : {};
  } catch {
    return {};
  }
}

/** The item may be there. */
function lost(error: HoldfastError): HoldfastError {
  return new HoldfastError(error.code, 'resume', error.message, { data: error.data, cause: error });
}
