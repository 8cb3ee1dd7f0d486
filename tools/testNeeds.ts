import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CHROMIUM_PLACES } from '../tests/servers/chromiumPlaces.ts';
import { POSTGRES_PLACES } from '../tests/servers/postgres.ts';
import { run } from './childProcess.ts';
import type { Ran } from './childProcess.ts';

/** A program that tests start, and the Debian package that brings it. */
export interface Need {
  readonly program: string;
  readonly package: string;
  /** Places beside PATH. */
  readonly places: readonly string[];
}

export const NEEDS: readonly Need[] = [
  { program: 'dovecot', package: 'dovecot-imapd', places: ['/usr/sbin'] },
  { program: 'doveadm', package: 'dovecot-core', places: ['/usr/bin'] },
  { program: 'imap', package: 'dovecot-imapd', places: ['/usr/lib/dovecot', '/usr/libexec/dovecot'] },
  { program: 'lmtp', package: 'dovecot-lmtpd', places: ['/usr/lib/dovecot', '/usr/libexec/dovecot'] },
  { program: 'smtpd', package: 'opensmtpd', places: ['/usr/sbin'] },
  { program: 'radosgw', package: 'radosgw', places: ['/usr/bin'] },
  { program: 'ceph-mon', package: 'ceph-mon', places: ['/usr/bin'] },
  { program: 'ceph-osd', package: 'ceph-osd', places: ['/usr/bin'] },
  { program: 'ceph', package: 'ceph-common', places: ['/usr/bin'] },
  { program: 'swift-proxy-server', package: 'swift-proxy', places: ['/usr/bin'] },
  { program: 'swift-account-server', package: 'swift-account', places: ['/usr/bin'] },
  { program: 'swift-container-server', package: 'swift-container', places: ['/usr/bin'] },
  { program: 'swift-object-server', package: 'swift-object', places: ['/usr/bin'] },
  { program: 'swift-ring-builder', package: 'swift', places: ['/usr/bin'] },
  { program: 'memcached', package: 'memcached', places: ['/usr/bin'] },
  { program: 'initdb', package: 'postgresql', places: POSTGRES_PLACES },
  { program: 'setpriv', package: 'util-linux', places: ['/usr/bin'] },
  { program: 'python3', package: 'python3', places: ['/usr/bin'] },
  { program: 'unzip', package: 'unzip', places: ['/usr/bin'] },
  { program: 'chromium', package: 'chromium', places: CHROMIUM_PLACES },
  { program: '7z', package: 'p7zip-full', places: ['/usr/bin'] },
];

const APT_TIMEOUT_MS = 300_000;

export function missingNeeds(needs: readonly Need[], path: string): Need[] {
  const folders = path.split(delimiter);
  return needs.filter(({ program, places }) => ![...folders, ...places].some((folder) => existsSync(join(folder, program))));
}

/** The one message for who cannot install what is missing from here. */
export function missingMessage(missing: readonly Need[]): string {
  const packages = packagesOf(missing);
  return [
    `The tests need programs that are not on this machine: ${missing.map(({ program }) => program).join(', ')}.`,
    `As root, "npm test" installs them itself on Debian. By hand: apt-get install ${packages.join(' ')}`,
    '(elsewhere, the packages of your system that bring these programs).',
  ].join('\n');
}

/** Installs what is missing; tells whether everything is there afterwards. The list of packages is only fetched when the one at hand does not do. */
export async function installNeeds(missing: readonly Need[], root: string): Promise<boolean> {
  const packages = packagesOf(missing);
  console.log(`installing ${packages.join(', ')}`);
  const install = (): Promise<Ran> => apt(['install', '-y', '--no-install-recommends', ...packages], root);
  let last = await install();
  if (last.code !== 0) {
    last = await apt(['update'], root);
    if (last.code === 0) last = await install();
  }
  if (last.code !== 0) console.error(last.output);
  return last.code === 0 && missingNeeds(missing, process.env['PATH'] ?? '').length === 0;
}

function apt(args: readonly string[], cwd: string): Promise<Ran> {
  return run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    cwd,
    timeoutMs: APT_TIMEOUT_MS,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function packagesOf(needs: readonly Need[]): string[] {
  return [...new Set(needs.map((need) => need.package))];
}
