import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './freePorts.ts';
import { S3TestServer } from './s3TestServer.ts';
import { startProcess, waitUntil, type ServerProcess } from './startProcess.ts';

const run = promisify(execFile);
const COMMAND_MS = 60_000;
const START_MS = 180_000;
const PIPELINE = 'catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo versioned_writes symlink proxy-server';

type Ring = 'account' | 'container' | 'object';
const RINGS: readonly Ring[] = ['account', 'container', 'object'];

function common(directory: string, port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${directory}
devices = ${directory}/srv
mount_check = false
disable_fallocate = true
workers = 0
user = ${userInfo().username}
log_address = ${directory}/none
`;
}

const ringServer = (directory: string, ring: Ring, port: number): string => `${common(directory, port)}recon_cache_path = ${directory}
[pipeline:main]
pipeline = ${ring}-server
[app:${ring}-server]
use = egg:swift#${ring}
`;

const proxy = (directory: string, port: number, cachePort: number): string => `${common(directory, port)}
[pipeline:main]
pipeline = ${PIPELINE}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cachePort}
${['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 'slo', 'dlo', 'versioned_writes', 'symlink']
    .map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`).join('')}`;

async function makeRing(directory: string, ring: Ring, port: number): Promise<void> {
  const build = (...args: string[]): Promise<unknown> =>
    run('swift-ring-builder', [join(directory, `${ring}.builder`), ...args], { timeout: COMMAND_MS });
  await build('create', '4', '1', '1');
  await build('add', `r1z1-127.0.0.1:${port}/d1`, '1');
  await build('rebalance');
}

/**
 * Starts OpenStack Swift with its S3 interface: a real service that keeps less of S3 than others do (no conditional put,
 * no object lock, listings that lag). Needs the Debian packages swift-proxy, swift-account, swift-container, swift-object,
 * memcached, and the file /etc/swift/swift.conf that they bring.
 */
export async function startSwift(): Promise<S3TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'swift-'));
  const processes: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of processes.toReversed()) await process.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await mkdir(join(directory, 'srv', 'd1'), { recursive: true });
    const [port = 0, cachePort = 0, ...ringPorts] = await freePorts(2 + RINGS.length);
    processes.push(startProcess('memcached', ['-l', '127.0.0.1', '-p', String(cachePort), '-u', userInfo().username, '-U', '0']));
    await Promise.all(RINGS.map(async (ring, i) => {
      await makeRing(directory, ring, ringPorts[i] ?? 0);
      const config = join(directory, `${ring}.conf`);
      await writeFile(config, ringServer(directory, ring, ringPorts[i] ?? 0));
      processes.push(startProcess(`swift-${ring}-server`, [config]));
    }));
    const config = join(directory, 'proxy.conf');
    await writeFile(config, proxy(directory, port, cachePort));
    const gateway = startProcess('swift-proxy-server', [config]);
    processes.push(gateway);
    const keys = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };
    const server = new S3TestServer({ host: '127.0.0.1', port, region: 'us-east-1', keys, stop });
    const listed = async (): Promise<boolean> => await server.answers() && await server.lists();
    await waitUntil(listed, () => `Swift did not start: ${processes.map((one) => one.output()).join('\n')}`, START_MS);
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}
