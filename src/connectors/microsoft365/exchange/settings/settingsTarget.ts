import type { ItemRow } from '../../../../domain/index.ts';
import type { RestoreItem, WriteResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import { parseObject } from '../items/folders.ts';
import { doOnce } from '../restore/doOnce.ts';
import { journaled } from '../restore/journaled.ts';
import { Losses } from '../restore/losses.ts';
import { pick, pruned, stampOf } from '../restore/shapes.ts';
import { altered, failed, type SubTarget, type TargetAccess, type TargetOptions } from '../subTarget.ts';
import { NAME, PARTS, readParts, settingItem, type SettingsPart } from './settingsParts.ts';
import type { SettingNote } from './settingNote.ts';
import { settingsChanges } from './settingsChanges.ts';

export const WRITE_PURPOSE = "write a mailbox's settings, rules and categories (MailboxSettings.ReadWrite)";

/** What of a category and of a rule can be set. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  [`${NAME}/c/`]: ['displayName', 'color'],
  [`${NAME}/r/`]: ['displayName', 'sequence', 'isEnabled', 'conditions', 'actions', 'exceptions'],
};

/**
 * Gives categories, inbox rules and the settings of a mailbox back. They are there once, so mode 'separate' leaves them alone. Categories and rules are known by their id, or
 * in another mailbox by their name. Nothing is taken away, and automatic replies are not switched on: they would go to people.
 */
export class SettingsTarget implements SubTarget {
  readonly name = NAME;
  readonly #access: TargetAccess;
  readonly #options: TargetOptions;
  #standing: Promise<ReadonlyMap<SettingsPart, readonly Entry[]>> | undefined;

  constructor(access: TargetAccess, options: TargetOptions) {
    this.#access = access;
    this.#options = options;
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = [];
    for (const { row } of items) results.push(row.kind === 'folder' ? { result: 'unchanged' } : await this.#planOne(row, signal));
    return results;
  }

  async #planOne(row: ItemRow, signal: AbortSignal): Promise<WriteResult> {
    const { mode } = this.#options;
    const part = partOf(row);
    if (mode === 'separate' || part === undefined) return { result: 'skipped' };
    const standing = await this.#find(row, part, signal);
    if (standing === undefined) return { result: 'written' };
    if (mode === 'skip') return { result: 'skipped' };
    return { result: settingItem(part, standing).change === row.change ? 'unchanged' : 'replaced' };
  }

  folder(): Promise<WriteResult> {
    return Promise.resolve({ result: 'unchanged' });
  }

  async write({ row }: RestoreItem, bytes: Uint8Array, signal: AbortSignal): Promise<WriteResult> {
    const part = partOf(row);
    const document = parseObject(Buffer.from(bytes).toString('utf8'));
    if (part === undefined || Object.keys(document).length === 0) return failed('not-readable', 'This setting is in no form that can be read. Export it to have it as it is.');
    try {
      const standing = await this.#find(row, part, signal);
      if (part.folder === undefined) return await this.#setSettings(document, standing ?? {}, signal);
      return standing === undefined ? await this.#add(part, document, signal) : await this.#change(part, document, standing, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, 'refused', 'not-found', 'unavailable', 'odd-answer')) throw error;
      return failed('refused', error.message);
    }
  }

  async #setSettings(document: Entry, standing: Entry, signal: AbortSignal): Promise<WriteResult> {
    const losses = new Losses();
    const changes = settingsChanges(document, standing, losses);
    const { codes: [code], sentence } = losses;
    if (Object.keys(changes).length > 0) await this.#patch(`${NAME}/m`, '', 'Mailbox settings', { standing, changes }, signal);
    if (code !== undefined) return Object.keys(changes).length > 0 ? altered(code, sentence) : failed(code, sentence);
    return { result: Object.keys(changes).length > 0 ? 'replaced' : 'unchanged' };
  }

  async #add(part: SettingsPart, document: Entry, signal: AbortSignal): Promise<WriteResult> {
    const { graph, path, budget } = this.#access;
    const losses = new Losses();
    const body = pruned(withoutForwarding(pick(document, fieldsOf(part)), {}, losses));
    const named = textOf(document, 'displayName');
    const act = async (): Promise<Entry> => await doOnce(this.#access, signal, {
      act: async () => await graph.post(path + part.path, body, { purpose: WRITE_PURPOSE, budget, signal, repeatable: false }),
      look: async () => (await readParts(this.#access, signal)).get(part)?.find((one) => textOf(one, 'displayName') === named),
    });
    const note = (): SettingNote => ({ part: NAME, act: 'make', item: named, prefix: part.prefix, id: '', before: {}, after: body as Entry });
    await journaled(this.#options.journal, note, act, (made) => ({ id: idOf(made), shown: pick(made, Object.keys(body as Entry)) }));
    const { codes: [code], sentence } = losses;
    return code === undefined ? { result: 'written' } : altered(code, sentence);
  }

  async #change(part: SettingsPart, document: Entry, standing: Entry, signal: AbortSignal): Promise<WriteResult> {
    const losses = new Losses();
    const wanted = withoutForwarding(document, standing, losses);
    const names = fieldsOf(part).filter((name) => stampOf({ value: standing[name] }) !== stampOf({ value: wanted[name] }));
    const { codes: [code], sentence } = losses;
    if (names.length === 0) return code === undefined ? { result: 'unchanged' } : failed(code, sentence);
    if (names.includes('displayName') && part.prefix === `${NAME}/c/`) return failed('renamed', 'This category has another name now, and Microsoft Graph renames none. Make one of the old name by hand.');
    await this.#patch(part.prefix, idOf(standing), textOf(standing, 'displayName'), { standing, changes: pick(wanted, names) }, signal);
    return code === undefined ? { result: 'replaced' } : altered(code, sentence);
  }

  /** `id` '': the settings themselves. */
  async #patch(prefix: string, id: string, item: string, { standing, changes }: { readonly standing: Entry; readonly changes: Entry }, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#access;
    const at = id === '' ? `${path}/mailboxSettings` : `${path}${PARTS.find((part) => part.prefix === prefix)?.path}/${encodeURIComponent(id)}`;
    const note = (): SettingNote => ({ part: NAME, act: 'change', item, prefix, id, before: pick(standing, Object.keys(changes)), after: changes });
    await journaled(this.#options.journal, note, async () => await graph.patch(at, changes, { purpose: WRITE_PURPOSE, budget, signal }), (shown) => ({ shown: pick(shown, Object.keys(changes)) }));
  }

  /** The same one by its id, else one of its name. */
  async #find({ key, name }: ItemRow, part: SettingsPart, signal: AbortSignal): Promise<Entry | undefined> {
    this.#standing ??= readParts(this.#access, signal).catch((error: unknown) => {
      this.#standing = undefined;
      throw error;
    });
    const all = (await this.#standing).get(part) ?? [];
    if (part.folder === undefined) return all[0];
    return all.find((one) => part.prefix + idOf(one) === key) ?? all.find((one) => textOf(one, 'displayName').toLowerCase() === name.toLowerCase());
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#standing = undefined;
    return Promise.resolve();
  }
}

/** A rule that sends mail on to people is not switched on. */
export function withoutForwarding(rule: Entry, standing: Entry, losses: Losses): Entry {
  const actions = objectOf(rule, 'actions');
  const sends = ['forwardTo', 'forwardAsAttachmentTo', 'redirectTo'].some((name) => listOf(actions, name).length > 0);
  if (!sends || rule['isEnabled'] !== true || standing['isEnabled'] === true) return rule;
  losses.add('rule-off', 'that this rule was switched on: it sends mail on to people. Switch it on by hand');
  return { ...rule, isEnabled: false };
}

function partOf({ key }: ItemRow): SettingsPart | undefined {
  return PARTS.find(({ prefix }) => key.startsWith(prefix));
}

function fieldsOf({ prefix }: SettingsPart): readonly string[] {
  return FIELDS[prefix] ?? [];
}
