/** Why there is no preview, in words for a person. Thrown by the readers of formats, and given on as it is; it never names a parser. */
export class PreviewFailure extends Error {
  /** Stable, begins with 'preview/'. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'PreviewFailure';
    this.code = code;
  }
}
