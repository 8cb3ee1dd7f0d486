import { HoldfastError, isHoldfastError, messageOf, type ItemRow } from '../../../../../domain/index.ts';
import type { RestoreItem, WriteResult } from '../../../../contract.ts';
import { textOf } from '../../../graph/pages.ts';
import { batch } from '../../../graph/batch.ts';
import { hasCode } from '../../../graph/graphErrors.ts';
import { altered, failed, type SubTarget, type TargetAccess, type TargetOptions } from '../../subTarget.ts';
import { MAIL_PURPOSE, parseFolderMeta, type MailFolder } from '../mailFolders.ts';
import { idOfKey, NAME, RECOVERABLE_KEY } from '../mailKeys.ts';
import { makeMessage } from './makeMessage.ts';
import { decideMail, type MailDecision } from './mailDecision.ts';
import { mailNote, type MailFolderMendNote, type MailOutcome } from './mailNotes.ts';
import { MailPlaces, WRITE_PURPOSE } from './mailPlaces.ts';
import { stateOf, tagged } from './mailState.ts';
import { newMessage, type NewMessage } from './newMessage.ts';
import { journaled } from '../../restore/journaled.ts';
import { importMessage } from './importMessage.ts';
import { isRefusedStream } from '../../streams/streamImport.ts';
import { Losses } from '../../restore/losses.ts';
import { formatOrigin, ORIGIN_ID } from '../../restore/origin.ts';
import { originOf } from './mailIdentity.ts';
import { standingById, StandingMails, type StandingMail } from './standingMails.ts';

/** Mails in a row that the service has no answer for: then it is not about these mails. */
const MOST_IN_A_ROW = 5;

interface Written {
  readonly result: WriteResult;
  /** undefined: nothing is sure. */
  readonly outcome?: MailOutcome;
}
/** The content of one of an item's rows. */
type ContentOf = (row: ItemRow) => Promise<Uint8Array>;

/**
 * Gives mail back into a mailbox. What is there already is known by its id, or by the origin of an earlier restore; a second run writes nothing. Nothing is
 * sent, and nothing of the user's is deleted for good: with mode 'replace' a mail that was edited goes to Deleted Items.
 */
export class MailTarget implements SubTarget {
  readonly name = NAME;
  readonly #access: TargetAccess;
  readonly #options: TargetOptions;
  #places: Promise<MailPlaces> | undefined;
  #standing: Promise<StandingMails> | undefined;
  readonly #decided = new Map<string, MailDecision>();
  /** Numbers of the journal, by key. */
  readonly #noted = new Map<string, number>();
  /** Mails made by this session, by folder. */
  readonly #made = new Map<string, number>();
  #inARow = 0;

  constructor(access: TargetAccess, options: TargetOptions) {
    this.#access = access;
    this.#options = options;
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    this.#decided.clear();
    this.#noted.clear();
    for (const { row } of items) if (row.kind !== 'folder') this.#decided.set(row.key, await this.#decide(row, signal));
    await this.#lookOnce(items, signal);
    // Nothing on a stream tells who brought it, so it is noted when it is its turn: what a killed restore leaves in doubt is little then.
    await this.#note(items.flatMap(({ row, companion }) => (companion === undefined ? [row] : [])), false, signal);
    const results: WriteResult[] = [];
    for (const item of items) {
      const decision = this.#decided.get(item.row.key);
      results.push(decision === undefined ? await this.#planFolder(item, signal) : { result: decision.result });
    }
    return results;
  }

  /** Writes down what is about to be done, for the whole batch at once. */
  async #note(rows: readonly ItemRow[], isStream: boolean, signal: AbortSignal): Promise<void> {
    const { journal, tag } = this.#options;
    if (journal === undefined) return;
    const places = await this.#loaded(signal);
    const due = rows.flatMap((row) => {
      const decision = this.#decided.get(row.key);
      return decision === undefined || decision.act === 'nothing' ? [] : [{ key: row.key, note: mailNote(row, decision, { folderId: places.find(row.parent), tag, isStream }) }];
    });
    const numbers = due.length === 0 ? [] : await journal.intend(due.map(({ note }) => note));
    for (const [place, number] of numbers.entries()) this.#noted.set(due[place]?.key ?? '', number);
  }

  /** Decides anew about mails that the listing did not tell and that are there. */
  async #lookOnce(items: readonly RestoreItem[], signal: AbortSignal): Promise<void> {
    if (this.#options.mode === 'separate' || this.#options.ofAnother === true) return;
    const rows = items.flatMap(({ row }) => (this.#decided.get(row.key)?.act === 'make' ? [row] : []));
    if (rows.length === 0) return;
    const { searched } = await this.#loaded(signal);
    const found = await standingById(this.#access, rows.map(({ key }) => idOfKey(key)), searched, signal);
    for (const row of rows) {
      const itself = found.get(idOfKey(row.key));
      if (itself !== undefined) this.#decided.set(row.key, await this.#decide(row, signal, itself));
    }
  }

  async #planFolder({ row }: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const places = await this.#loaded(signal);
    places.learn(row);
    const left = this.#left(row, places);
    if (left !== undefined) return left;
    const step = places.step(row);
    places.note(step, row);
    if (step.standing === undefined) return { result: 'written' };
    return { result: step.rename || step.moveTo !== undefined ? 'replaced' : 'unchanged' };
  }

  /** `itself`: the message, where it was asked for by its id. */
  async #decide(row: ItemRow, signal: AbortSignal, itself?: StandingMail): Promise<MailDecision> {
    const places = await this.#loaded(signal);
    const listed = await (await this.#listed(places, signal)).of(originOf(row, false, true).source);
    const standing = itself === undefined ? listed : [...listed.filter(({ id }) => id !== itself.id), itself];
    const { mode, tag } = this.#options;
    return decideMail(row, standing, { mode, tag, places });
  }

  async folder({ row }: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const places = await this.#loaded(signal);
    places.learn(row);
    const left = this.#left(row, places);
    if (left !== undefined) return left;
    const step = places.step(row);
    try {
      if (step.standing === undefined) {
        await places.ensure(row.key, signal);
        return { result: 'written' };
      }
      if (!step.rename && step.moveTo === undefined) return { result: 'unchanged' };
      await this.#mendFolder(step.standing, { name: step.rename ? row.name : undefined, above: step.moveTo }, signal);
      places.note(step, row);
      return { result: 'replaced' };
    } catch (error) {
      return this.#failure(error);
    }
  }

  /** The result for folders that are not made for their own sake; undefined for all others. */
  #left({ key, meta }: ItemRow, places: MailPlaces): WriteResult | undefined {
    const { hidden, search } = parseFolderMeta(meta);
    if (search !== undefined && !places.stands(key)) return altered('search-folder', 'A search folder is not made again. Its mails lie in other folders, and are given back there.');
    // Made when a mail needs them: nobody sees them, or misses them.
    const isLazy = hidden === true || (this.#options.mode !== 'separate' && (key === RECOVERABLE_KEY || places.wasDeleted(key) === 'recoverable'));
    return isLazy || search !== undefined ? { result: 'unchanged' } : undefined;
  }

  async #mendFolder(standing: MailFolder, { name, above }: { readonly name: string | undefined; readonly above: string | undefined }, signal: AbortSignal): Promise<void> {
    const { id, name: oldName, parentId } = standing;
    const note = (): MailFolderMendNote => ({
      part: NAME, act: 'mendFolder', isFolder: true, item: oldName, id, before: { name: oldName, parentId }, after: { name: name ?? oldName, parentId: above ?? parentId },
    });
    await journaled(this.#options.journal, note, async () => await this.#putFolder(id, { name, above }, signal), () => ({}));
  }

  async #putFolder(id: string, { name, above }: { readonly name: string | undefined; readonly above: string | undefined }, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#access;
    const at = `${path}/mailFolders/${encodeURIComponent(id)}`;
    const options = { purpose: WRITE_PURPOSE, budget, signal };
    if (above !== undefined) await graph.post(`${at}/move`, { destinationId: above }, { ...options, repeatable: true });
    if (name !== undefined) await graph.patch(at, { displayName: name }, options);
  }

  async reads(item: RestoreItem, signal: AbortSignal): Promise<ItemRow> {
    const { row, companion } = item;
    return companion !== undefined && this.#decided.get(row.key)?.act === 'make' && await this.#access.streamImport.isGranted(signal) ? companion : row;
  }

  async write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal, read: (row: ItemRow) => Promise<Uint8Array>): Promise<WriteResult> {
    const { row } = item;
    const given = await this.reads(item, signal);
    const contentOf = async (one: ItemRow): Promise<Uint8Array> => (one === given ? bytes : await read(one));
    if (row.kind !== 'mail') return failed('not-a-mail', 'Among mail only mails and folders are given back; this item is neither.');
    if (!this.#decided.has(row.key)) {
      this.#decided.set(row.key, await this.#decide(row, signal));
    }
    if (!this.#noted.has(row.key)) await this.#note([row], item.companion !== undefined, signal);
    const decision = this.#decided.get(row.key);
    this.#decided.delete(row.key);
    if (decision === undefined) throw new TypeError('nothing was decided about a mail');
    try {
      for (const { id } of decision.leftovers) await this.#removeOwn(id, signal);
      const written: Written = decision.act === 'nothing' ? { result: { result: decision.result } } : await this.#carryOut(decision, item, contentOf, signal);
      // Only when what it gives way to is there.
      if (written.result.result !== 'failed') for (const { id } of decision.instead) await this.#move(id, 'deleteditems', signal);
      await this.#did(row, written);
      this.#inARow = 0;
      return written.result;
    } catch (error) {
      signal.throwIfAborted();
      return this.#failure(error);
    }
  }

  async #did({ key }: ItemRow, { outcome }: Written): Promise<void> {
    const number = this.#noted.get(key);
    this.#noted.delete(key);
    if (number !== undefined && outcome !== undefined) await this.#options.journal?.did(number, { ...outcome });
  }

  async #carryOut(decision: Exclude<MailDecision, { act: 'nothing' }>, item: RestoreItem, contentOf: ContentOf, signal: AbortSignal): Promise<Written> {
    if (decision.act === 'make') return await this.#make(item, contentOf, decision.result, signal);
    const { standing, move, state, result } = decision;
    let { folderId } = standing;
    let change = '';
    try {
      if (move) {
        folderId = await (await this.#loaded(signal)).ensure(item.row.parent, signal);
        change = await this.#move(standing.id, folderId, signal);
      }
    } catch (error) {
      // Gone meanwhile, or held where it is (as in Purges): then it is made of the backup.
      if (!hasCode(error, 'not-found', 'refused')) throw error;
      return await this.#make(item, contentOf, result, signal);
    }
    const { tag, journal } = this.#options;
    // What comes back or was repaired is tagged too, though nothing of its state may differ.
    if (state || tag !== undefined) {
      // Its size may not go back to what it was: so it is noted that this is the content. An origin that it has already stays.
      const noted = standing.origin === undefined ? { singleValueExtendedProperties: [{ id: ORIGIN_ID, value: formatOrigin(originOf(item.row, false, true, journal?.id)) }] } : {};
      change = await this.#patch(standing.id, { ...tagged(stateOf(item.row.meta), tag), ...noted }, signal);
    }
    return { result: { result }, outcome: { id: standing.id, folderId, change, made: false } };
  }

  /** As its stream where there is one and it is taken, else of its MIME form. */
  async #make(item: RestoreItem, contentOf: ContentOf, result: 'written' | 'replaced', signal: AbortSignal): Promise<Written> {
    const { row, companion } = item;
    let refusal = '';
    if (companion !== undefined && await this.#access.streamImport.isGranted(signal)) {
      try {
        return await this.#import(row, companion, await contentOf(companion), result, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isRefusedStream(error)) throw error;
        refusal = error.message;
      }
    }
    if (row.content === '') return { result: failed('stream-alone', refusal === '' ? 'The snapshot has this mail as a stream alone, and the application may not import streams (MailboxItem.ImportExport.All).' : `The snapshot has this mail as a stream alone, which is not taken. ${refusal}`) };
    return await this.#makeAnew(row, await contentOf(row), { result, refusal }, signal);
  }

  async #import(row: ItemRow, companion: ItemRow, stream: Uint8Array, result: 'written' | 'replaced', signal: AbortSignal): Promise<Written> {
    const { mode, tag, journal } = this.#options;
    const places = await this.#loaded(signal);
    const folderId = await places.ensure(row.parent, signal);
    const { id, change } = await importMessage(this.#access, folderId, { row, companion, stream }, { origin: originOf(row, mode === 'separate', true, journal?.id), tag }, signal);
    this.#made.set(folderId, (this.#made.get(folderId) ?? 0) + 1);
    const losses = new Losses();
    this.#notePlace(row, places, losses);
    const [code] = losses.codes;
    return { result: code === undefined ? { result } : altered(code, losses.sentence), outcome: { id, folderId, change, made: true } };
  }

  #notePlace(row: ItemRow, places: MailPlaces, losses: Losses): void {
    if (this.#options.mode !== 'separate' && places.wasDeleted(row.parent) === 'recoverable') losses.add('not-recoverable', 'its place: nothing can be written into Recoverable Items, so it lies in a folder of this name');
  }

  async #makeAnew(row: ItemRow, bytes: Uint8Array, { result, refusal }: { readonly result: 'written' | 'replaced'; readonly refusal: string }, signal: AbortSignal): Promise<Written> {
    const { mode, tag, journal } = this.#options;
    let message: NewMessage;
    try {
      message = await newMessage(row, bytes, tag);
    } catch (error) {
      if (isHoldfastError(error)) throw error;
      return { result: failed('not-readable', `The mail is in no form that can be taken apart (${messageOf(error)}). Export it, or restore it into a folder, to have it as it is.`) };
    }
    const places = await this.#loaded(signal);
    if (refusal !== '') message.losses.add('stream-refused', `that it comes back whole: ${refusal}`);
    this.#notePlace(row, places, message.losses);
    const folderId = await places.ensure(row.parent, signal);
    const { id, change } = await makeMessage(this.#access, folderId, message, originOf(row, mode === 'separate', true, journal?.id), signal);
    this.#made.set(folderId, (this.#made.get(folderId) ?? 0) + 1);
    const { codes: [code], sentence } = message.losses;
    return { result: code === undefined ? { result } : altered(code, sentence), outcome: { id, folderId, change, made: true } };
  }

  /** The change key afterwards. */
  async #move(id: string, destinationId: string, signal: AbortSignal): Promise<string> {
    const { graph, path, budget } = this.#access;
    return textOf(await graph.post(`${path}/messages/${encodeURIComponent(id)}/move`, { destinationId }, { purpose: WRITE_PURPOSE, budget, signal, repeatable: true }), 'changeKey');
  }

  /** The change key afterwards. */
  async #patch(id: string, changes: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string> {
    const { graph, path, budget } = this.#access;
    return textOf(await graph.patch(`${path}/messages/${encodeURIComponent(id)}`, changes, { purpose: WRITE_PURPOSE, budget, signal }), 'changeKey');
  }

  /** What a killed run of ours left half made, and nobody else has. */
  async #removeOwn(id: string, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#access;
    try {
      await graph.act(`${path}/messages/${encodeURIComponent(id)}/permanentDelete`, { purpose: WRITE_PURPOSE, budget, signal });
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error;
    }
  }

  /** What concerns this item alone; any other error is thrown. */
  #failure(error: unknown): WriteResult {
    if (!hasCode(error, 'refused', 'not-found', 'unavailable', 'odd-answer')) throw error;
    if (hasCode(error, 'unavailable', 'odd-answer') && ++this.#inARow > MOST_IN_A_ROW) throw error;
    return failed('refused', error.message);
  }

  /** In each folder at least so many mails as this session made there. */
  async finish(signal: AbortSignal): Promise<void> {
    const { graph, path, budget, runtime } = this.#access;
    const folders = [...this.#made];
    const requests = folders.map(([id]) => ({ path: `${path}/mailFolders/${encodeURIComponent(id)}?$select=id,totalItemCount` }));
    const results = await batch(graph, requests, { purpose: MAIL_PURPOSE, budget, signal, random: runtime.random, sleep: runtime.sleep, attempts: runtime.attempts });
    let missing = 0;
    for (const [place, [, made]] of folders.entries()) {
      const result = results[place];
      if (result === undefined || 'error' in result) throw result?.error ?? new TypeError('a part of a batch is missing');
      missing += Math.max(0, made - Number(result.document['totalItemCount'] ?? 0));
    }
    if (missing === 0) return;
    throw new HoldfastError('microsoft365/restore-incomplete', 'retry', `Microsoft 365 took ${missing} mails that are not in their folders now. Run the restore again: what is there is not written twice.`, { data: { missing } });
  }

  async close(): Promise<void> {
    const standing = this.#standing;
    this.#standing = undefined;
    await (await standing)?.close();
  }

  async #loaded(signal: AbortSignal): Promise<MailPlaces> {
    this.#places ??= MailPlaces.load(this.#access, this.#options, signal).catch((error: unknown) => {
      this.#places = undefined;
      throw error;
    });
    return await this.#places;
  }

  async #listed(places: MailPlaces, signal: AbortSignal): Promise<StandingMails> {
    this.#standing ??= StandingMails.list(this.#access, places.searched, signal).catch((error: unknown) => {
      this.#standing = undefined;
      throw error;
    });
    return await this.#standing;
  }
}
