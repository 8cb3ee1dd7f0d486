import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between client and server on the clear text port, notes every command and can break connections. */
export interface ImapProxy {
  readonly port: number;
  /** Commands without their tags, in the order of their arrival, literals left out; logins are shortened to their first word. */
  readonly commands: readonly string[];
  /** Bytes from the server since the last reset. */
  readonly received: number;
  readonly connections: number;
  /** Connections that stand at once, at most. */
  readonly peak: number;
  reset(): void;
  /** Breaks the connection that carries the `bytes`-th byte from the server from now on; `times` times in a row. */
  cutAfter(bytes: number, times?: number): void;
  /** Every piece from the server waits that long. */
  delay(ms: number): void;
  stop(): Promise<void>;
}

/** Takes a client's stream apart into commands; skips literals. */
class CommandReader {
  #text = '';
  #skip = 0;
  #command = '';
  readonly #onCommand: (command: string) => void;

  constructor(onCommand: (command: string) => void) {
    this.#onCommand = onCommand;
  }

  push(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    for (;;) {
      const skipped = Math.min(this.#skip, this.#text.length);
      this.#text = this.#text.slice(skipped);
      this.#skip -= skipped;
      const end = this.#skip > 0 ? -1 : this.#text.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      this.#command += line;
      const literal = /\{(\d+)\+?\}$/.exec(line);
      if (literal === null) {
        this.#onCommand(this.#command);
        this.#command = '';
      } else this.#skip = Number(literal[1]);
    }
  }
}

/** Starts a proxy for the clear text port of a server on 127.0.0.1. */
export async function startImapProxy(serverPort: number): Promise<ImapProxy> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const counts = { received: 0, connections: 0, open: 0, peak: 0 };
  let cut: { bytes: number; size: number; times: number } | undefined;
  let delayMs = 0;

  const forward = (chunk: Buffer, client: Socket, server: Socket): void => {
    counts.received += chunk.length;
    if (cut !== undefined && (cut.bytes -= chunk.length) <= 0) {
      client.write(chunk.subarray(0, Math.max(0, chunk.length + cut.bytes)));
      cut = cut.times > 1 ? { bytes: cut.size, size: cut.size, times: cut.times - 1 } : undefined;
      server.destroy();
      client.destroySoon();
      return;
    }
    if (!client.write(chunk)) {
      server.pause();
      client.once('drain', () => server.resume());
    }
  };

  const listener = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    counts.connections++;
    counts.peak = Math.max(counts.peak, ++counts.open);
    const reader = new CommandReader((line) => {
      const command = line.slice(line.indexOf(' ') + 1);
      commands.push(/^(LOGIN|AUTHENTICATE)/i.test(command) ? command.split(' ')[0] ?? '' : command);
    });
    client.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      server.write(chunk);
    });
    const later = (action: () => void): void => {
      if (delayMs === 0) action();
      else setTimeout(action, delayMs);
    };
    server.on('data', (chunk: Buffer) => later(() => forward(chunk, client, server)));
    client.on('close', () => {
      counts.open--;
    });
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        later(() => other.destroySoon());
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    commands,
    get received() { return counts.received; },
    get connections() { return counts.connections; },
    get peak() { return counts.peak; },
    reset() {
      commands.length = 0;
      Object.assign(counts, { received: 0, connections: 0, peak: counts.open });
    },
    cutAfter(bytes, times = 1) {
      cut = { bytes, size: bytes, times };
    },
    delay(ms) {
      delayMs = ms;
    },
    stop: () => new Promise((resolve) => {
      listener.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    }),
  };
}
