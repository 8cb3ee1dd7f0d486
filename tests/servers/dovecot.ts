import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './freePorts.ts';
import { startProcess, waitUntil, type ServerProcess } from './startProcess.ts';
import { makeCertificates } from './testCertificates.ts';
import { startTokenServer } from './tokenServer.ts';

const run = promisify(execFile);

export interface DovecotOptions {
  /** Address -> password. */
  readonly users: Readonly<Record<string, string>>;
  /** OAuth token -> address. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** An existing directory to live in (kept on stop); else one is made under the temp directory and removed on stop. */
  readonly directory?: string;
  /** Extensions to advertise no longer, e.g. `['QRESYNC']`. The server keeps to the list that it shows. */
  readonly without?: readonly string[];
  readonly maxUserIpConnections?: number;
  /** Hierarchy separator; '/' unless told. */
  readonly separator?: string;
  /** Prefix of the personal namespace, e.g. 'INBOX.'. */
  readonly prefix?: string;
  /** Mail store: 'maildir' unless told. */
  readonly format?: 'maildir' | 'sdbox';
  /** Takes mail from mail servers, too (LMTP, without a password). */
  readonly lmtp?: boolean;
  /** False: clear text logins are refused and STARTTLS is not offered. */
  readonly tls?: boolean;
}

export interface Dovecot {
  readonly host: string;
  /** Clear text and STARTTLS. */
  readonly port: number;
  /** Implicit TLS. */
  readonly tlsPort: number;
  /** Where it takes mail; 0: nowhere. */
  readonly lmtpPort: number;
  readonly caFile: string;
  readonly ca: string;
  readonly directory: string;
  /** Runs doveadm against this server; gives stdout. */
  doveadm(args: readonly string[], input?: Buffer): Promise<Buffer>;
  /** The user's mail directory. */
  mailDirectory(user: string): string;
  log(): Promise<string>;
  /** Ends the processes and starts them again with the same data and ports; `between` runs while nothing runs. */
  restart(between?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** All that Dovecot 2.3 advertises before and after login, without what depends on settings. */
const CAPABILITIES = [
  'IMAP4rev1', 'SASL-IR', 'LOGIN-REFERRALS', 'ID', 'ENABLE', 'IDLE', 'SORT', 'SORT=DISPLAY', 'THREAD=REFERENCES',
  'THREAD=REFS', 'THREAD=ORDEREDSUBJECT', 'MULTIAPPEND', 'URL-PARTIAL', 'CATENATE', 'UNSELECT', 'CHILDREN',
  'NAMESPACE', 'UIDPLUS', 'LIST-EXTENDED', 'I18NLEVEL=1', 'CONDSTORE', 'QRESYNC', 'ESEARCH', 'ESORT', 'SEARCHRES',
  'WITHIN', 'CONTEXT=SEARCH', 'LIST-STATUS', 'BINARY', 'MOVE', 'SNIPPET=FUZZY', 'PREVIEW=FUZZY', 'PREVIEW',
  'STATUS=SIZE', 'SAVEDATE', 'LITERAL+', 'NOTIFY', 'SPECIAL-USE',
];

const SPECIAL_FOLDERS = [['Drafts', '\\Drafts'], ['Sent', '\\Sent'], ['Trash', '\\Trash'], ['Junk', '\\Junk']];

async function mailUser(): Promise<{ uid: number; gid: number }> {
  const ids = async (): Promise<string> => (await run('id', ['vmail'])).stdout;
  const text = await ids().catch(async () => {
    // Another test may make the user at the same moment; only its presence counts.
    await run('useradd', ['-r', '-M', '-d', '/nonexistent', '-s', '/usr/sbin/nologin', 'vmail']).catch(() => undefined);
    return await ids();
  });
  const match = /uid=(\d+).*?gid=(\d+)/.exec(text);
  if (match === null) throw new Error(`no user vmail: ${text}`);
  return { uid: Number(match[1]), gid: Number(match[2]) };
}

interface Layout {
  readonly directory: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly lmtpPort: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly tokenPort: number | undefined;
}

function configuration(options: DovecotOptions, at: Layout): string {
  const d = at.directory;
  const root = (options.format ?? 'maildir') === 'maildir' ? `maildir:${d}/mail/%u` : `sdbox:${d}/mail/%u`;
  const without = new Set(options.without ?? []);
  const list = CAPABILITIES.filter((name) => !without.has(name)).join(' ');
  const oauth = at.tokenPort === undefined ? '' : `passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${d}/oauth2.ext
}`;
  const mailboxes = SPECIAL_FOLDERS.map(([name, use]) => `  mailbox ${name} {
    special_use = ${use}
    auto = subscribe
  }`).join('\n');
  return `protocols = imap${at.lmtpPort === 0 ? '' : ' lmtp'}
listen = 127.0.0.1
instance_name = ${d.replaceAll(/[^A-Za-z0-9]/g, '')}
base_dir = ${d}/base
state_dir = ${d}/state
log_path = ${d}/dovecot.log
ssl = ${options.tls === false ? 'no' : 'yes'}
ssl_cert = <${at.certFile}
ssl_key = <${at.keyFile}
disable_plaintext_auth = no
auth_mechanisms = plain login${at.tokenPort === undefined ? '' : ' xoauth2 oauthbearer'}
auth_failure_delay = 0
mail_location = ${root}
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
mail_fsync = never
mail_max_userip_connections = ${options.maxUserIpConnections ?? 50}
${oauth}
passdb {
  driver = passwd-file
  args = username_format=%u ${d}/passwd
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=${d}/home/%u
}
namespace inbox {
  inbox = yes
  separator = ${options.separator ?? '/'}
${options.prefix === undefined ? '' : `  prefix = ${options.prefix}\n`}${mailboxes}
}
service imap-login {
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    address = 127.0.0.1
    port = ${at.port}
  }
  inet_listener imaps {
    port = ${at.tlsPort}
    ssl = yes
  }
}
service imap {
  service_count = 100
}
${at.lmtpPort === 0 ? '' : `service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${at.lmtpPort}
  }
}`}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
  client_limit = 2000
}
service auth {
  client_limit = 4000
}
service stats {
  client_limit = 2000
}
protocol imap {
  ${without.size === 0 ? '' : `imap_capability = ${list}`}
}
`;
}

async function listening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1000);
    // A greeting, not only an open port: the login process must be up.
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    for (const event of ['error', 'close', 'timeout']) {
      socket.once(event, () => {
        socket.destroy();
        resolve(false);
      });
    }
  });
}

async function prepare(options: DovecotOptions, directory: string, tokenPort: number | undefined): Promise<Layout> {
  const user = await mailUser();
  await chmod(directory, 0o755);
  for (const name of ['mail', 'home']) {
    await mkdir(join(directory, name), { recursive: true });
    await chown(join(directory, name), user.uid, user.gid);
  }
  await Promise.all(['base', 'state'].map((name) => mkdir(join(directory, name), { recursive: true })));
  const certificates = await makeCertificates(directory);
  const [port = 0, tlsPort = 0, lmtpPort = 0] = await freePorts(options.lmtp === true ? 3 : 2);
  const at = { directory, port, tlsPort, lmtpPort, tokenPort, certFile: certificates.certFile, keyFile: certificates.keyFile };
  const users = Object.entries(options.users).map(([name, password]) => `${name}:{PLAIN}${password}::::::`);
  await writeFile(join(directory, 'passwd'), `${users.join('\n')}\n`);
  await writeFile(join(directory, 'oauth2.ext'), `introspection_url = http://127.0.0.1:${String(tokenPort ?? 0)}/
introspection_mode = post
force_introspection = yes
username_attribute = sub
active_attribute = active
active_value = true
`);
  await writeFile(join(directory, 'dovecot.conf'), configuration(options, at));
  return at;
}

/**
 * Starts a real Dovecot of its own: own directory, free ports on loopback, a certificate of an own CA, OAuth
 * tokens through an introspection server. Needs root and the Debian packages dovecot-imapd; throws otherwise.
 */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const directory = options.directory ?? await mkdtemp(join(tmpdir(), 'dovecot-'));
  const tokens = options.tokens === undefined ? undefined
    : await startTokenServer(new Map(Object.entries(options.tokens)));
  const at = await prepare(options, directory, tokens?.port);
  const config = join(directory, 'dovecot.conf');
  const readLog = async (): Promise<string> => await readFile(join(directory, 'dovecot.log'), 'utf8').catch(() => '');
  let server: ServerProcess | undefined;
  const start = async (): Promise<void> => {
    const started = startProcess('dovecot', ['-F', '-c', config]);
    server = started;
    await waitUntil(async () => await listening(at.port), () => `Dovecot did not start: ${started.output()}`);
  };
  const end = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
  };
  await start();
  return {
    host: '127.0.0.1', port: at.port, tlsPort: at.tlsPort, lmtpPort: at.lmtpPort, directory,
    caFile: join(directory, 'ca.pem'),
    ca: await readFile(join(directory, 'ca.pem'), 'utf8'),
    mailDirectory: (user) => join(directory, 'mail', user),
    log: readLog,
    async doveadm(args, input) {
      return await new Promise((resolve, reject) => {
        const child = execFile('doveadm', ['-c', config, ...args], { encoding: 'buffer', maxBuffer: 1 << 28, timeout: 60_000 },
          (error, stdout, stderr) => {
            if (error === null) resolve(stdout);
            else reject(new Error(`doveadm ${args.join(' ')}: ${stderr.toString()}`));
          });
        child.stdin?.on('error', reject);
        child.stdin?.end(input);
      });
    },
    async restart(between) {
      await end();
      await between?.();
      await start();
    },
    async stop() {
      await end();
      await tokens?.stop();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}
