import type { NotedChange, UndoResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { Losses } from '../restore/losses.ts';
import { pick, stampOf } from '../restore/shapes.ts';
import { CHANGED, left, NOTHING, orFailed, UNDONE, type PartUndo, type UndoCall, type UndoContext } from '../undo/undoResults.ts';
import type { SettingNote, SettingOutcome } from './settingNote.ts';
import { settingsChanges } from './settingsChanges.ts';
import { NAME, PARTS, readParts, type SettingsPart } from './settingsParts.ts';
import { withoutForwarding, WRITE_PURPOSE } from './settingsTarget.ts';

/**
 * Takes back what a restore did to categories, rules and settings: what it made goes, what it set is set as it was. Here as there nothing is switched on that sends
 * mail to people; that is named. What has other values than the restore gave it is left alone.
 */
export class SettingsUndo implements PartUndo {
  readonly name = NAME;
  readonly #context: UndoContext;

  constructor(context: UndoContext) {
    this.#context = context;
  }

  async undo(changes: readonly NotedChange[], call: UndoCall): Promise<readonly UndoResult[]> {
    const results: UndoResult[] = [];
    for (const { note, outcome } of changes) results.push(await this.#undoOne(note as SettingNote, outcome as SettingOutcome | undefined, call));
    return results;
  }

  async #undoOne(note: SettingNote, outcome: SettingOutcome | undefined, call: UndoCall): Promise<UndoResult> {
    const part = PARTS.find(({ prefix }) => prefix === note.prefix);
    if (part === undefined) return left('not-known', 'This version of Holdfast does not know this change. Use the one that restored it.');
    return await orFailed(call.signal, async () => {
      // There are few of them, and each one that was taken back may be in the way of the next.
      const standing = (await readParts(this.#context.access, call.signal)).get(part) ?? [];
      return note.act === 'make' ? await this.#putAway(note, outcome, part, standing, call) : await this.#putBack(note, outcome, part, standing, call);
    });
  }

  async #putAway(note: SettingNote, outcome: SettingOutcome | undefined, part: SettingsPart, standing: readonly Entry[], { dryRun, signal }: UndoCall): Promise<UndoResult> {
    const isIt = (one: Entry): boolean => (outcome === undefined ? textOf(one, 'displayName') === note.item : idOf(one) === outcome.id);
    const found = standing.find(isIt);
    if (found === undefined) return NOTHING;
    if (!hasValues(found, outcome?.shown ?? note.after)) return CHANGED;
    if (dryRun) return UNDONE;
    const { graph, path, budget } = this.#context.access;
    await graph.remove(`${path}${part.path}/${encodeURIComponent(idOf(found))}`, { purpose: WRITE_PURPOSE, budget, signal }).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error;
    });
    return UNDONE;
  }

  async #putBack(note: SettingNote, outcome: SettingOutcome | undefined, part: SettingsPart, standing: readonly Entry[], { dryRun, signal }: UndoCall): Promise<UndoResult> {
    const found = part.folder === undefined ? standing[0] : standing.find((one) => idOf(one) === note.id);
    if (found === undefined) return left('gone', 'The restore changed it, and it is not there any more.');
    if (hasValues(found, note.before)) return NOTHING;
    if (!hasValues(found, outcome?.shown ?? note.after) && !hasValues(found, note.after)) return CHANGED;
    const losses = new Losses();
    const names = Object.keys(note.before);
    const wanted = { ...found, ...note.before };
    const changes = part.folder === undefined ? settingsChanges(wanted, found, losses) : differing(pick(withoutForwarding(wanted, found, losses), names), found);
    const { codes: [code], sentence } = losses;
    if (Object.keys(changes).length === 0) return code === undefined ? NOTHING : left(code, sentence);
    const { graph, path, budget } = this.#context.access;
    const at = part.folder === undefined ? path + part.path : `${path}${part.path}/${encodeURIComponent(note.id)}`;
    if (!dryRun) await graph.patch(at, changes, { purpose: WRITE_PURPOSE, budget, signal });
    return code === undefined ? UNDONE : { result: 'altered', code, message: sentence };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function hasValues(document: Entry, values: Entry): boolean {
  return Object.entries(values).every(([name, value]) => stampOf({ value: document[name] }) === stampOf({ value }));
}

function differing(wanted: Entry, found: Entry): Entry {
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => stampOf({ value: found[name] }) !== stampOf({ value })));
}
