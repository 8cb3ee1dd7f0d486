const REMOTE = /^\s*(?:https?:)?[\\/]{2}/i;
/** In sheets and in style attributes, where quotes may be written as entities. */
const IN_CSS = /url\(\s*(?:["']|&quot;|&#3[49];)?\s*((?:https?:)?\/\/[^\s"')&]{1,2000})/gi;
/** Attributes by which a tag gets a picture. */
const PICTURES: Readonly<Record<string, readonly string[]>> = {
  img: ['src', 'srcset'], source: ['srcset'], input: ['src'], image: ['href', 'xlink:href'], video: ['poster'],
};

/** Counts the pictures that a page would load from somebody's server, as people count them: an address once. For people; nothing's safety rests on it. */
export class RemotePictures {
  readonly #addresses = new Set<string>();

  constructor(html: string) {
    for (const [, address = ''] of html.matchAll(IN_CSS)) this.#addresses.add(address);
  }

  get count(): number { return this.#addresses.size; }

  look(tag: string, attributes: Readonly<Record<string, string>>): void {
    for (const name of [...PICTURES[tag] ?? [], 'background']) {
      const address = attributes[name];
      if (address !== undefined && REMOTE.test(address)) this.#addresses.add(address.trim().split(/\s/, 1)[0] ?? '');
    }
  }
}
