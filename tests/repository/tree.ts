import type { BinaryString } from '../../src/domain/index.ts';
import type { SourceChange, SourceItem, SourceSession } from '../../src/connectors/contract.ts';
import { seededBytes, seededNumbers } from './seeded.ts';

/** One file of a tree, its content told by a recipe of our own so that a tree is small. */
export interface TreeFile {
  readonly content: string;
  readonly size: number;
}

/** Path → file. Folders follow from the paths. Immutable: every change makes a new tree. */
export type Tree = ReadonlyMap<BinaryString, TreeFile>;

/** The bytes of a file: incompressible, text, or a mail with an attachment, by the first letter of its content. */
export function bytesOf(file: TreeFile): Buffer {
  const { content, size } = file;
  if (content.startsWith('r')) return seededBytes(content, size);
  if (content.startsWith('m')) return mailOf(content, size);
  const words = seededBytes(content, 64).toString('hex').match(/.{1,7}/g) ?? [];
  return Buffer.from(Array.from({ length: Math.ceil(size / 8) }, (_, i) => words[(i * 7 + (i >> 4)) % words.length] ?? '').join(' ')).subarray(0, size);
}

/** Mails share attachments: only the digit after the letter decides which one they carry. */
function mailOf(content: string, size: number): Buffer {
  const attachment = seededBytes(`attachment ${content[1] ?? ''}`, 20_000 + Number(content[1] ?? 0) * 9_000).toString('base64');
  return Buffer.from([
    `From: someone@example.test\r\nSubject: ${content}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n`,
    `--b\r\nContent-Type: text/plain\r\n\r\n${seededBytes(content, size % 500).toString('hex')}\r\n`,
    `--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
    `${(attachment.match(/.{1,76}/g) ?? []).join('\r\n')}\r\n--b--\r\n`,
  ].join(''));
}

const NAMES = ['a', 'b', 'long name', 'ü', 'z', '0', 'mail.eml', 'data.bin'];
const pick = <T>(next: () => number, all: readonly T[]): T | undefined => all[Math.floor(next() * all.length)];

function freshPath(next: () => number): BinaryString {
  const depth = 1 + Math.floor(next() * 3);
  const parts = Array.from({ length: depth }, () => pick(next, NAMES) ?? 'a');
  return Buffer.from(`${parts.map((part, i) => (i < depth - 1 ? `d-${part}` : `${part}-${Math.floor(next() * 40)}`)).join('/')}`).toString('latin1');
}

/** What a file may hold, among others what other files and earlier generations hold too. */
function freshFile(next: () => number, largest: number): TreeFile {
  const kind = pick(next, ['r', 't', 't', 'm']) ?? 't';
  const size = next() < 0.05 ? 0 : Math.floor(largest ** next() * next()) + 1;
  return { content: `${kind}${Math.floor(next() * 9)}${Math.floor(next() * 60)}`, size: kind === 'm' && size === 0 ? 1 : size };
}

/** The next generation of a tree: some files added, edited, moved, deleted. */
export function nextTree(tree: Tree, seed: number, options: { changes?: number; largest?: number } = {}): Tree {
  const next = seededNumbers(seed);
  const { changes = 8, largest = 150_000 } = options;
  const files = new Map(tree);
  for (let i = 0; i < changes; i++) {
    const path = pick(next, [...files.keys()]);
    const choice = next();
    if (path === undefined || choice < 0.45) files.set(freshPath(next), freshFile(next, largest));
    else if (choice < 0.65) files.set(path, freshFile(next, largest));
    else if (choice < 0.8) {
      files.set(freshPath(next), files.get(path) as TreeFile);
      files.delete(path);
    } else if (choice < 0.95) files.delete(path);
    else {
      const folder = path.split('/')[0] ?? '';
      for (const other of files.keys()) if (other.startsWith(`${folder}/`)) files.delete(other);
    }
  }
  return files;
}

/** Every row that a snapshot of the tree must show, by key. */
export function itemsOf(tree: Tree): Map<BinaryString, SourceItem> {
  const items = new Map<BinaryString, SourceItem>();
  const put = (key: BinaryString, kind: string, size: number, change: string): void => {
    const cut = key.lastIndexOf('/');
    items.set(key, {
      key, parent: cut < 0 ? '' : key.slice(0, cut), name: Buffer.from(key.slice(cut + 1), 'latin1').toString(), kind, size,
      modified: kind === 'folder' ? null : 1_700_000_000_000, change, meta: kind === 'folder' ? '' : '{"mode":420}',
    });
  };
  for (const [path, file] of tree) {
    const parts = path.split('/');
    for (let i = 1; i < parts.length; i++) put(parts.slice(0, i).join('/'), 'folder', 0, 'folder');
    put(path, file.content.startsWith('m') ? 'mail' : 'file', bytesOf(file).length, `${file.content}/${file.size}`);
  }
  return items;
}

/** A source that lists a tree and gives its contents. */
export class TreeSource implements SourceSession {
  readonly entity: SourceSession['entity'];
  readonly #tree: Tree;
  readonly #items: Map<BinaryString, SourceItem>;

  constructor(name: string, tree: Tree) {
    this.entity = { id: `tree:${name}`, service: 'tree', name };
    this.#tree = tree;
    this.#items = itemsOf(tree);
  }

  async* enumerate(): AsyncGenerator<readonly SourceChange[]> {
    const sorted = [...this.#items.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    yield [{ type: 'listing', prefix: '' }];
    for (let i = 0; i < sorted.length; i += 16) {
      yield sorted.slice(i, i + 16).map((item) => ({ type: 'item', item, content: { from: item.kind === 'folder' ? 'none' : 'fetch' } }));
    }
    yield [{ type: 'listed', prefix: '' }];
  }

  cursor(): undefined {
    return undefined;
  }

  async* fetch(items: readonly SourceItem[]): AsyncGenerator<{ item: SourceItem; bytes: Uint8Array }> {
    for (const item of items) yield { item, bytes: Uint8Array.from(bytesOf(this.#tree.get(item.key) as TreeFile)) };
  }

  async close(): Promise<void> {}
}
