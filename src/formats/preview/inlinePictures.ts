import { pictureAddress } from './pictureType.ts';

/** Bytes of a picture that is put into a page, and of all of one page. */
export const MOST_PICTURE = 1024 * 1024;
const MOST_PICTURES = 6 * MOST_PICTURE;

/** A picture that comes with an item, and the number of the part that it is. */
export interface OwnPicture {
  readonly contentId: string;
  /** undefined: too large to be looked at. */
  readonly bytes: Uint8Array | undefined;
  readonly number: number;
}

/** Gives a page the pictures that its item brings along, as long as there is room. */
export class InlinePictures {
  /** Numbers of parts that a page shows. */
  readonly shown = new Set<number>();
  /** Some that the item has are not shown: too large, too many, or of another kind. */
  leftOut = 0;
  readonly #own: ReadonlyMap<string, OwnPicture>;
  readonly #known = new Map<string, string | undefined>();
  #room = MOST_PICTURES;

  constructor(own: readonly OwnPicture[]) {
    this.#own = new Map(own.filter(({ contentId }) => contentId !== '').map((one) => [one.contentId.toLowerCase(), one]));
  }

  /** For an address of a page: 'cid:…' of a part, or a picture that is in the page already. */
  address(written: string): string | undefined {
    if (!/^(?:cid|data):/i.test(written)) return undefined;
    // The same picture again costs its bytes again, so the room is taken each time.
    if (!this.#known.has(written)) this.#known.set(written, this.#find(written));
    const found = this.#known.get(written);
    const taken = Math.ceil((found?.length ?? 0) * 0.75);
    if (found !== undefined && taken <= this.#room) {
      this.#room -= taken;
      return found;
    }
    this.leftOut++;
    return undefined;
  }

  #find(written: string): string | undefined {
    if (/^data:/i.test(written)) return ofData(written);
    const own = this.#own.get(decoded(written.slice('cid:'.length)).toLowerCase());
    const address = own?.bytes === undefined ? undefined : pictureAddress(own.bytes, MOST_PICTURE);
    if (own !== undefined && address !== undefined) this.shown.add(own.number);
    return address;
  }
}

/** What its bytes are counts, not what it says. */
function ofData(address: string): string | undefined {
  const comma = address.indexOf(',');
  if (comma < 0 || comma > 200 || address.length > MOST_PICTURE * 2 || !/;base64$/i.test(address.slice(0, comma).trimEnd())) return undefined;
  return pictureAddress(Buffer.from(address.slice(comma + 1), 'base64'), MOST_PICTURE);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll(/^<|>$/g, '');
  } catch {
    return text;
  }
}
