import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './freePorts.ts';
import { startProcess, waitUntil, type ServerProcess } from './startProcess.ts';

/** A mail server that takes mail for its users and hands it to a mailbox server. */
export interface MailServer {
  readonly port: number;
  /** Ends it; it can be started again on the same port. */
  end(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts OpenSMTPD on a free loopback port. Mail to `users` goes on by LMTP, mail to others is refused. Its spool and its control socket have one
 * place on a machine, so one of it runs at a time. Needs root and the Debian package opensmtpd.
 */
export async function startOpenSmtpd(users: readonly string[], lmtpPort: number): Promise<MailServer> {
  const directory = await mkdtemp(join(tmpdir(), 'opensmtpd-'));
  await chmod(directory, 0o755);
  const [port = 0] = await freePorts(1);
  await writeFile(join(directory, 'users'), users.map((user) => `${user} vmail\n`).join(''));
  const config = join(directory, 'smtpd.conf');
  await writeFile(config, `table users file:${join(directory, 'users')}
listen on 127.0.0.1 port ${port} hostname mx.example.test
action "mailboxes" lmtp "127.0.0.1:${lmtpPort}" rcpt-to virtual <users>
match from any for domain "example.test" action "mailboxes"
`, { mode: 0o600 });
  let server: ServerProcess | undefined;
  const start = async (): Promise<void> => {
    const started = startProcess('smtpd', ['-F', '-f', config]);
    server = started;
    await waitUntil(() => greets(port), () => `OpenSMTPD did not start: ${started.output()}`);
  };
  const end = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
  };
  try {
    await start();
  } catch (error) {
    await end();
    throw error;
  }
  return {
    port, start, end,
    async stop() {
      await end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (greeted: boolean) => (): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(1000, done(false));
    socket.once('data', done(true));
    socket.once('error', done(false));
    socket.once('close', done(false));
  });
}
