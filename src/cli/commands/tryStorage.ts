import { isHoldfastError, messageOf } from '../../domain/index.ts';
import { noteWeakness } from '../../repository/index.ts';
import { systemRandom } from '../../runtime/index.ts';
import { type LockState, type Storage } from '../../storage/index.ts';
import { checkConformance, conformanceChecks, NO_PRUNE, tryLocks, type ConformanceResult } from '../../storage/trial/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable } from '../formatText.ts';
import { openPatiently } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';

interface Options {
  readonly url: string;
  readonly lockSeconds?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What `storage test --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface StorageDocument {
  readonly location: string;
  /** `all`: every guarantee holds. `some`: backups can be made, and `lacks` says what must not be done. `none`: no repository should be there. */
  readonly fit: 'all' | 'some' | 'none';
  readonly holds: readonly string[];
  readonly lacks: readonly Lack[];
  /** Whether objects can be locked there, and what the place locks by itself; null where that could not be asked. */
  readonly lock: LockState | null;
}

interface Lack {
  /** The guarantee. */
  readonly name: string;
  /** How it was broken. */
  readonly message: string;
  readonly consequence: string;
}

const NO_REPOSITORY = 'No repository should be there.';
const EXITS = { all: EXIT.done, some: EXIT.warnings, none: EXIT.failed } as const;

/** Tries an operator's place for repositories, and says in words what it keeps and what not. */
export async function tryStorage(context: CommandContext, { url, quiet, lockSeconds }: Options): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: quiet === true });
  const open = (): ReturnType<typeof openPatiently> => openPatiently(context, url, { create: false }, display.listener);
  const storage = await open();
  const results: ConformanceResult[] = [];
  for await (const result of checkConformance(storage, { clock, random: systemRandom, reopen: open, signal })) {
    results.push(result);
    display.listener({ type: 'progress', stage: 'test', items: results.length, bytes: 0, totalItems: conformanceChecks.length });
  }
  const lock = await lockStateOf(storage, signal);
  if (lock?.available && storage.locks) {
    for await (const result of tryLocks(storage, storage.locks, { clock, random: systemRandom, signal, lockMs: lockSeconds && lockSeconds * 1000 })) results.push(result);
  }
  if (storage.listing === 'late') results.push(promisedLate());
  const lagging = results.find(({ error, without }) => error !== undefined && without === NO_PRUNE);
  await noteWeakness(storage, clock, lagging && messageOf(lagging.error), signal);
  display.stop();
  const answer = documentOf(storage.location, results, lock);
  await out.document(answer);
  for (const name of answer.holds) await out.line(`holds  ${name}`);
  for (const { name, message, consequence } of answer.lacks) {
    await out.line(`LACKS  ${name}`);
    await out.line(`       ${printable(message)}`);
    await out.line(`       ${consequence}`);
  }
  await out.line(lockLine(lock));
  await out.line(conclusion(answer));
  return EXITS[answer.fit];
}

/** Null where it is not told, to these keys or at all: a place may be used without. */
async function lockStateOf({ locks }: Storage, signal: AbortSignal): Promise<LockState | null> {
  if (!locks) return { available: false };
  try {
    return await locks.state({ signal });
  } catch (error) {
    if (isHoldfastError(error) && error.retryClass !== 'retry') return null;
    throw error;
  }
}

/** What showed nothing wrong here may do so on a busy day. */
function promisedLate(): ConformanceResult {
  const message = 'The service is OpenStack Swift, whose listings are kept up after the fact when its servers are busy.';
  return { name: 'the service promises that listings are up to date', error: new Error(message), without: NO_PRUNE };
}

function lockLine(lock: LockState | null): string {
  if (lock === null) return 'Object lock: not known. The service does not tell, or not to these keys.';
  if (!lock.available) return 'Object lock: none. Whoever has the keys can delete every backup there.';
  const rule = lock.rule ? `; the place itself locks everything for ${plural(lock.rule.days, 'day')} (${lock.rule.mode})` : '';
  return `Object lock: yes${rule}. 'holdfast repo init --lock-days N' uses it.`;
}

function documentOf(location: string, results: readonly ConformanceResult[], lock: LockState | null): StorageDocument {
  const broken = results.filter(({ error }) => error !== undefined);
  const fit = broken.length === 0 ? 'all' : broken.every(({ without }) => without !== undefined) ? 'some' : 'none';
  return {
    location, fit, lock,
    holds: results.filter(({ error }) => error === undefined).map(({ name }) => name),
    lacks: broken.map(({ name, error, without = NO_REPOSITORY }) => ({ name, message: messageOf(error), consequence: without })),
  };
}

function conclusion({ location, fit, lacks, holds }: StorageDocument): string {
  const place = printable(location);
  if (fit === 'all') return `${place} keeps all ${plural(holds.length, 'promise')} that repositories rely on.`;
  if (fit === 'some') return `${place} is fit for backups, with care: ${plural(lacks.length, 'promise')} named above do not hold.`;
  return `${place} is NOT fit for repositories: ${plural(lacks.length, 'promise')} named above do not hold.`;
}
