import type { SourceItem } from '../../../contract.ts';
import { batch } from '../../graph/batch.ts';
import type { GraphClient, GraphOptions } from '../../graph/graphClient.ts';
import { hasCode, oddAnswer } from '../../graph/graphErrors.ts';
import { entriesOf, idOf, linkOf, pages, textOf, type Entry } from '../../graph/pages.ts';
import { changeOf } from '../items/documents.ts';
import type { MailboxAccess } from '../subService.ts';

export const NAME = 'settings';
export const SETTINGS_PURPOSE = "read a mailbox's settings, rules and categories (MailboxSettings.Read)";

/** A part of the settings: one document, or a list of them. */
export interface SettingsPart {
  readonly title: string;
  readonly path: string;
  /** Of the keys of its rows. */
  readonly prefix: string;
  /** Key of its folder; undefined where it is one document. */
  readonly folder: string | undefined;
  /** Not every mailbox has it: that of a room has no rules, say. */
  readonly mayLack?: true;
}

/** Fact 54. In the order of their keys. */
export const PARTS: readonly SettingsPart[] = [
  { title: 'Categories', path: '/outlook/masterCategories', prefix: `${NAME}/c/`, folder: `${NAME}/1` },
  { title: 'Mailbox settings', path: '/mailboxSettings', prefix: `${NAME}/m`, folder: undefined },
  { title: 'Inbox rules', path: '/mailFolders/inbox/messageRules', prefix: `${NAME}/r/`, folder: `${NAME}/2`, mayLack: true },
];

/** All entries of a list of which this is the first page. */
export async function wholeList(graph: GraphClient, document: Entry, options: GraphOptions): Promise<readonly Entry[]> {
  const documents = [...entriesOf(document)];
  const link = linkOf(document, '@odata.nextLink');
  if (link !== undefined) for await (const more of pages(graph, link, options)) documents.push(...more);
  return documents;
}

/** What there is of each part, with one request. Throws what any of them is refused with; a part that a mailbox may lack is empty then. */
export async function readParts({ graph, path, budget, runtime: { random, sleep, attempts } }: MailboxAccess, signal: AbortSignal): Promise<ReadonlyMap<SettingsPart, readonly Entry[]>> {
  const options = { purpose: SETTINGS_PURPOSE, budget, signal };
  const results = await batch(graph, PARTS.map((part) => ({ path: path + part.path })), { ...options, random, sleep, attempts });
  const found = new Map<SettingsPart, readonly Entry[]>();
  for (const [place, part] of PARTS.entries()) {
    const result = results[place] ?? { error: oddAnswer('all parts of a batch') };
    if ('document' in result) found.set(part, part.folder === undefined ? [result.document] : await wholeList(graph, result.document, options));
    else if (part.mayLack === true && hasCode(result.error, 'not-found')) found.set(part, []);
    else throw result.error;
  }
  return found;
}

/** The row of a document. */
export function settingItem({ title, prefix, folder }: SettingsPart, document: Entry): SourceItem {
  const isOne = folder === undefined;
  return {
    key: isOne ? prefix : prefix + idOf(document), parent: folder ?? `${NAME}/0`, name: isOne ? title : textOf(document, 'displayName') || title, kind: 'setting', size: 0, modified: null,
    change: changeOf(document), meta: '',
  };
}
