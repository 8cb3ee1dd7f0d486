import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareWithTargets, medians, type StepResult } from './benchTargets.ts';

/**
 * `npm run bench [-- --sets A,C,D --rounds 3 --items 100000 --profiles default,fast,small --work DIR]`: runs the shared
 * runner with restic, borg and this checkout in one go, and appends the ratios to docs/benchmarks.md.
 */
const root = resolve(import.meta.dirname, '..');
const runner = resolve(root, '../shared/bench/bench.py');

const { values } = parseArgs({
  options: {
    sets: { type: 'string', default: 'A,C,D' },
    rounds: { type: 'string', default: '3' },
    items: { type: 'string', default: '100000' },
    gens: { type: 'string', default: '20' },
    profiles: { type: 'string', default: 'default' },
    work: { type: 'string', default: '/dev/shm/holdfast-bench' },
    data: { type: 'string' },
  },
});

function ensurePeers(): void {
  const missing = [['restic', 'restic'], ['borg', 'borgbackup'], ['python3', 'python3']]
    .filter(([command]) => !onPath(command as string)).map(([, name]) => name as string);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`The benchmark needs ${missing.join(', ')}. Install them, or run it as root.`);
  execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', timeout: 300_000 });
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
    stdio: 'inherit', timeout: 600_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function onPath(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** This checkout as the runner takes a tool: commands of its own command line, caches beside the repository. */
function ourTool(profile: string): Record<string, unknown> {
  const cli = `${root}/bin/holdfast`;
  const flag = profile === 'default' ? '' : ` --profile ${profile}`;
  return {
    name: profile === 'default' ? 'holdfast' : `holdfast-${profile}`,
    env: { HOLDFAST_REPO: '{repo}', HOLDFAST_KEY_FILE: '{tmp}/key', HOLDFAST_CACHE: '{tmp}/cache' },
    init: `rm -f {tmp}/key && ${cli} repo init`,
    backup: `${cli} backup folder {src}${flag}`,
    restore: `${cli} restore folder latest --to {out}`,
    restore_one: `${cli} restore folder latest --to {out} --path {item}`,
    list: `${cli} ls latest --recursive > {tmp}/ls`,
    check: `${cli} check`,
    verify: `${cli} check --read-data`,
    prune: `${cli} prune --keep-last $KEEP`,
  };
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`;
}

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    child.on('error', fail);
    child.on('exit', (code) => done(code ?? 1));
  });
}

async function main(): Promise<number> {
  if (!existsSync(runner)) {
    process.stderr.write(`bench: ${runner} is not there; the comparison needs the shared corpora and runner.\n`);
    return 1;
  }
  ensurePeers();
  const work = resolve(values.work);
  const data = resolve(values.data ?? join(work, 'data'));
  mkdirSync(data, { recursive: true });
  rmSync(join(work, 'results.jsonl'), { force: true });
  const tools = values.profiles.split(',').map((profile) => {
    const path = join(work, `${profile}.json`);
    writeFileSync(path, JSON.stringify(ourTool(profile)));
    return ['--add', path];
  });
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim();
  const args = [runner, '--work', work, '--data', data, '--tools', 'restic,borg', ...tools.flat(), '--sets', values.sets,
    '--rounds', values.rounds, '--items', values.items, '--gens', values.gens, '--node', process.execPath];
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '?';
  const code = await run('python3', args);
  const results = readFileSync(join(work, 'results.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as StepResult);
  const title = `\n## Against restic and borg: ${new Date().toISOString().slice(0, 16)}Z, commit ${commit}\n\n`
    + `Sets ${values.sets}, ${values.items} items, ${values.rounds} rounds, medians; ${machine()}; load at start ${load}. `
    + 'Corpora are deterministic (the runner\'s own seeds).\n\n';
  appendFileSync(join(root, 'docs/benchmarks.md'), `${title}${compareWithTargets(medians(results))}\n`);
  process.stdout.write(compareWithTargets(medians(results)));
  return code;
}

process.exitCode = await main();
