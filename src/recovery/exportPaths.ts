import { createHash } from 'node:crypto';
import { markedFileName, safeFileName, sameFileName } from '../formats/index.ts';
import { HoldfastError, type BinaryString, type ItemRow } from '../domain/index.ts';

/** `safe`: names that every system takes. `exact`: as they are, but for what could break out of a folder or no reader shows. */
export type NameStyle = 'safe' | 'exact';

interface Folder {
  readonly parent: BinaryString;
  /** As the snapshot has it. */
  readonly shown: string;
  /** As it is in the export; '' is the top itself. */
  readonly name: string;
}

/** Where a row lies, for people and in the export; '' at the top. */
interface Place {
  readonly shown: string;
  readonly folder: string;
}

/** Deeper than any service nests; ends a circle of broken parents. */
const DEEPEST = 4096;
/** Bytes of a path of safe folder names: with a file name it fits what buckets and Windows take. */
const LONGEST_PATH = 600;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Where the items of a snapshot go in an export. A name that had to be changed, or that a folder beside it has already where
 * case does not count, gets a mark made of its key, so that it is the same in every part. Memory: the folders.
 */
export class ExportPaths {
  readonly #style: NameStyle;
  readonly #folders = new Map<BinaryString, Folder>();
  /** Names of folders by parent, as a file system that does not tell case apart has them. */
  readonly #taken = new Set<string>();
  #last: { readonly key: BinaryString; readonly place: Place } | undefined;

  /** `reserved`: names at the top that no folder may have. */
  constructor(style: NameStyle, reserved: readonly string[]) {
    this.#style = style;
    for (const name of reserved) this.#taken.add(takenName('', name));
  }

  knows(key: BinaryString): boolean {
    return this.#folders.has(key);
  }

  /** `name`: bytes of its name on disk; '.' at the top is the top itself. */
  learn(row: ItemRow, name: BinaryString): void {
    if (this.#folders.has(row.key)) return;
    const top = name === '.' && row.parent === '';
    this.#folders.set(row.key, { parent: row.parent, shown: top ? '' : row.name, name: top ? '' : this.#folderName(row, name) });
    this.#last = undefined;
  }

  /** Path of a folder that was learned. */
  folder(key: BinaryString): string {
    return this.#place(key).folder;
  }

  /** The path that `ls` shows. */
  shown(row: ItemRow): string {
    const above = this.#place(row.parent).shown;
    return above === '' ? row.name : `${above}/${row.name}`;
  }

  item(row: ItemRow, name: BinaryString): string {
    const { folder } = this.#place(row.parent);
    const file = this.#fileName(row.key, name);
    return folder === '' ? file : `${folder}/${file}`;
  }

  #folderName(row: ItemRow, name: BinaryString): string {
    const plain = this.#fileName(row.key, name);
    if (this.#style === 'exact') return plain;
    // "Work.part2" would be the second part of "Work" where folders become files, "x.eml" a mail: see mboxFiles.ts and emlFiles.ts.
    const free = plain.replace(/\.(part\d+|mbox|eml|partial)$/i, '_$1');
    const given = this.#taken.has(takenName(row.parent, free)) ? markedFileName(free, mark(row.key)) : free;
    this.#taken.add(takenName(row.parent, given));
    return given;
  }

  #fileName(key: BinaryString, bytes: BinaryString): string {
    const text = this.#style === 'safe' ? Buffer.from(bytes, 'latin1').toString('utf8') : exactName(bytes);
    if (text === undefined) return markedFileName(safeFileName(Buffer.from(bytes, 'latin1').toString('utf8')), mark(key));
    if (this.#style === 'exact') return text;
    const safe = safeFileName(text);
    return safe === text.normalize('NFC') ? safe : markedFileName(safe, mark(key));
  }

  #place(key: BinaryString): Place {
    if (this.#last?.key !== key) this.#last = { key, place: this.#below(key, 0) };
    return this.#last.place;
  }

  /** A parent that was not learned is the top. */
  #below(key: BinaryString, depth: number): Place {
    const folder = key === '' ? undefined : this.#folders.get(key);
    if (!folder) return { shown: '', folder: '' };
    if (depth > DEEPEST) throw new HoldfastError('export/no-folder', 'never', 'The folders of the snapshot above it lie in each other.');
    const above = this.#below(folder.parent, depth + 1);
    const path = joined(above.folder, folder.name);
    const fits = this.#style === 'exact' || Buffer.byteLength(path) <= LONGEST_PATH;
    return { shown: joined(above.shown, folder.shown), folder: fits ? path : `deep${mark(key)}` };
  }
}

function joined(above: string, name: string): string {
  return above === '' || name === '' ? above + name : `${above}/${name}`;
}

/** undefined: it cannot be in a ZIP as it is. Some readers take a '\' for a separator. */
function exactName(bytes: BinaryString): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/^\.{0,2}$|[/\\\x00-\x1f\x7f]/.test(bytes)) return undefined;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

function mark(key: BinaryString): string {
  return ` ~${createHash('sha256').update(key, 'latin1').digest('hex').slice(0, 10)}`;
}

function takenName(parent: BinaryString, name: string): string {
  return `${parent}\0${sameFileName(name)}`;
}
