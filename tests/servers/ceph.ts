import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './freePorts.ts';
import { S3TestServer } from './s3TestServer.ts';
import { startProcess, waitUntil, type ServerProcess } from './startProcess.ts';

const run = promisify(execFile);
const COMMAND_MS = 180_000;
const START_MS = 180_000;

export interface CephOptions {
  /** Objects are kept in memory in place of a file: for tests with little data, which wait for the disk most of the time otherwise. */
  readonly inMemory?: boolean;
}

interface Layout extends CephOptions {
  readonly directory: string;
  readonly config: string;
  readonly fsid: string;
  readonly monitors: string;
  readonly port: number;
}

/**
 * One monitor, one disk in a sparse file, one gateway, no copies: the least that serves S3. Without tcp_nodelay each reply with a body waits 40 ms for
 * the client's delayed acknowledgement of its header.
 */
function configuration({ directory: d, fsid, monitors, port, inMemory = false }: Layout): string {
  return `[global]
fsid = ${fsid}
mon host = ${monitors}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${d}/admin.keyring
run dir = ${d}/run
admin socket = ${d}/run/$name.asok
pid file = ${d}/run/$name.pid
log file = ${d}/log/$name.log
crash dir = ${d}/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon max pg per osd = 1000
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 1
osd crush chooseleaf type = 0
debug ms = 0/0
[mon.a]
mon data = ${d}/mon
[osd.0]
osd data = ${d}/osd
keyring = ${d}/osd/keyring
osd objectstore = ${inMemory ? 'memstore' : 'bluestore'}
memstore device bytes = 8589934592
bluestore block size = 17179869184
bluestore cache autotune = false
bluestore cache size = 134217728
[client.rgw]
keyring = ${d}/rgw.keyring
rgw data = ${d}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw dns name = localhost
`;
}

async function ceph(at: Layout, program: string, args: readonly string[], input?: string): Promise<string> {
  const running = run(program, ['-c', at.config, ...args], { timeout: COMMAND_MS, maxBuffer: 1 << 26 });
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

async function prepare(directory: string, options: CephOptions): Promise<Layout> {
  for (const name of ['run', 'log', 'crash', 'mon', 'osd', 'rgw']) await mkdir(join(directory, name));
  const [v1 = 0, v2 = 0, port = 0] = await freePorts(3);
  const at: Layout = {
    ...options, directory, port, config: join(directory, 'ceph.conf'), fsid: randomUUID(),
    monitors: `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`,
  };
  await writeFile(at.config, configuration(at));
  const keys = (...args: string[]): Promise<unknown> => run('ceph-authtool', args, { timeout: COMMAND_MS });
  const file = (name: string): string => join(directory, name);
  await keys('--create-keyring', file('admin.keyring'), '--gen-key', '-n', 'client.admin',
    '--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *');
  await keys('--create-keyring', file('mon.keyring'), '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *');
  await keys(file('mon.keyring'), '--import-keyring', file('admin.keyring'));
  await run('monmaptool', ['--create', '--fsid', at.fsid, '--addv', 'a', at.monitors, file('monmap')], { timeout: COMMAND_MS });
  await ceph(at, 'ceph-mon', ['--mkfs', '-i', 'a', '--monmap', file('monmap'), '--keyring', file('mon.keyring')]);
  return at;
}

/** Registers the disk and the gateway with the running monitor, and formats the disk. */
async function addDaemons(at: Layout): Promise<void> {
  const { stdout } = await run('ceph-authtool', ['--gen-print-key'], { timeout: COMMAND_MS });
  const secret = stdout.trim();
  const disk = randomUUID();
  await ceph(at, 'ceph', ['osd', 'new', disk, '-i', '-'], JSON.stringify({ cephx_secret: secret }));
  await run('ceph-authtool', ['--create-keyring', join(at.directory, 'osd', 'keyring'), '-n', 'osd.0', '--add-key', secret]);
  const gateway = await ceph(at, 'ceph', ['auth', 'get-or-create', 'client.rgw', 'mon', 'allow rw', 'osd', 'allow rwx']);
  await writeFile(join(at.directory, 'rgw.keyring'), gateway);
  await ceph(at, 'ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', disk]);
}

/**
 * Starts a Ceph cluster of its own with its object gateway, a real S3 service: own directory, free loopback ports. Takes
 * about 15 s. Needs the Debian packages radosgw, ceph-mon, ceph-osd and ceph-common.
 */
export async function startCeph(options: CephOptions = {}): Promise<S3TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'ceph-'));
  const processes: ServerProcess[] = [];
  const start = (program: string, ...args: string[]): ServerProcess => {
    const started = startProcess(program, ['-f', '-c', join(directory, 'ceph.conf'), ...args]);
    processes.push(started);
    return started;
  };
  const stop = async (): Promise<void> => {
    for (const process of processes.toReversed()) await process.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const at = await prepare(directory, options);
    start('ceph-mon', '-i', 'a');
    await addDaemons(at);
    start('ceph-osd', '-i', '0');
    const gateway = start('radosgw', '-n', 'client.rgw');
    const keys = { accessKeyId: 'testkey', secretAccessKey: 'testsecret' };
    await ceph(at, 'radosgw-admin', ['user', 'create', '--uid=test', '--display-name=test', '--access-key', keys.accessKeyId,
      '--secret-key', keys.secretAccessKey]);
    const server = new S3TestServer({ host: '127.0.0.1', port: at.port, region: 'default', keys, stop });
    await waitUntil(() => server.answers(), () => `Ceph's gateway did not start: ${gateway.output()}`, START_MS);
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}
