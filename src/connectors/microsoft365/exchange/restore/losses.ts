/** What of an item could not be kept as it was: codes, and words for a person. */
export class Losses {
  readonly #found: { readonly code: string; readonly what: string }[] = [];

  /** Each loss is named, also several of one code: 'the attachment "a.pdf"', and the next one. */
  add(code: string, what: string): void {
    this.#found.push({ code, what });
  }

  /** In the order in which they were found. */
  get codes(): readonly string[] { return [...new Set(this.#found.map(({ code }) => code))]; }

  get sentence(): string { return `Microsoft 365 does not let everything be set. Lost: ${this.#found.map(({ what }) => what).join('; ')}.`; }
}
