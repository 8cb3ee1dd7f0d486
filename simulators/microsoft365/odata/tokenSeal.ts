import { createHmac } from 'node:crypto';

/** Makes opaque tokens of states, and states of tokens. A token that was not made here reads as undefined. */
export class TokenSeal {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  seal(state: unknown): string {
    const body = Buffer.from(JSON.stringify(state)).toString('base64url');
    return `${this.#sign(body)}${body}`;
  }

  open(token: string): unknown {
    const [signature, body] = [token.slice(0, 16), token.slice(16)];
    return this.#sign(body) === signature ? JSON.parse(Buffer.from(body, 'base64url').toString()) : undefined;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url').slice(0, 16);
  }
}
