import { connect, type Socket } from 'node:net';

/** A client of a few lines that shares nothing with the product: sends text, gives the text of the answer. Clear text only. */
export class RawImap {
  readonly #socket: Socket;
  #received = '';
  #wake: (() => void) | undefined;
  #closed = false;
  #tag = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // One character a byte, so that literals keep theirs.
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#wake?.();
    });
    for (const event of ['close', 'error'] as const) {
      socket.on(event, () => {
        this.#closed = true;
        this.#wake?.();
      });
    }
    socket.setTimeout(20_000, () => socket.destroy());
  }

  static async open(port: number, user: string, password: string): Promise<RawImap> {
    const client = new RawImap(connect(port, '127.0.0.1'));
    await client.#until(/^\* OK .*\r\n/m);
    await client.send(`LOGIN "${user}" "${password}"`);
    return client;
  }

  /** Everything up to and with the match, taken out of what was received. */
  async #until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#received);
      if (match !== null) {
        const end = match.index + match[0].length;
        const text = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return text;
      }
      if (this.#closed) throw new Error(`connection closed after: ${this.#received.slice(-500)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Sends one command, with `literal` as its last argument if given; throws unless the server says OK. */
  async send(command: string, literal?: Buffer): Promise<string> {
    const tag = `t${++this.#tag}`;
    if (literal === undefined) this.#socket.write(`${tag} ${command}\r\n`, 'utf8');
    else {
      this.#socket.write(`${tag} ${command} {${literal.length}}\r\n`, 'utf8');
      const answer = await this.#until(new RegExp(`^(\\+ .*|\\+|${tag} .*)\\r\\n`, 'm'));
      if (answer.includes(`${tag} `)) throw new Error(answer);
      this.#socket.write(literal);
      this.#socket.write('\r\n');
    }
    const answer = await this.#until(new RegExp(`^${tag} .*\\r\\n`, 'm'));
    if (!answer.includes(`${tag} OK`)) throw new Error(`${command}: ${answer}`);
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }
}
