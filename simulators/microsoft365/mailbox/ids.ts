/** What an id of a mailbox stands for. */
export type IdTarget =
  | { readonly kind: 'folder'; readonly number: number }
  /** `moves`: of an ordinary id, which dies with the next move; undefined in an immutable one. `date`: of an occurrence. */
  | { readonly kind: 'item'; readonly key: string; readonly moves: number | undefined; readonly date: string | undefined }
  | { readonly kind: 'attachment'; readonly itemKey: string; readonly key: string };

const START = 'AAMkA';

/**
 * Writes and reads ids that look as the service's do. They carry what they stand for, so that a million of them need no table; case counts,
 * and an id of another mailbox is none of this one (fact 41).
 */
export class MailboxIds {
  readonly #mark: string;

  /** `mark`: differs between mailboxes. */
  constructor(mark: string) {
    this.#mark = mark;
  }

  folder(number: number): string {
    return this.#write(`F${number}`);
  }

  item(key: string, moves: number, immutable: boolean, date?: string): string {
    const occurrence = date === undefined ? '' : `@${date}`;
    return this.#write(immutable ? `I${key}${occurrence}` : `R${moves}:${key}${occurrence}`);
  }

  attachment(itemKey: string, key: string): string {
    return this.#write(`A${itemKey}/${key}`);
  }

  /** undefined: not an id of this mailbox. */
  read(id: string): IdTarget | undefined {
    const text = this.#open(id);
    if (text === undefined) return undefined;
    const [kind, rest] = [text[0], text.slice(1)];
    if (kind === 'F') return { kind: 'folder', number: Number(rest) };
    if (kind === 'A') {
      const at = rest.indexOf('/');
      return { kind: 'attachment', itemKey: rest.slice(0, at), key: rest.slice(at + 1) };
    }
    const moves = kind === 'R' ? Number(rest.slice(0, rest.indexOf(':'))) : undefined;
    const [key = '', date] = (kind === 'R' ? rest.slice(rest.indexOf(':') + 1) : rest).split('@');
    return { kind: 'item', key, moves, date };
  }

  #write(text: string): string {
    return `${START}${Buffer.from(`${this.#mark}${text}`).toString('base64url')}AAA=`;
  }

  #open(id: string): string | undefined {
    if (!id.startsWith(START) || !id.endsWith('AAA=')) return undefined;
    const text = Buffer.from(id.slice(START.length, -4), 'base64url').toString();
    return text.startsWith(this.#mark) && this.#write(text.slice(this.#mark.length)) === id ? text.slice(this.#mark.length) : undefined;
  }
}
