/** One timed step of the shared runner. CPU and wall in seconds, sizes in MB. */
export interface StepResult {
  readonly tool: string;
  readonly set: string;
  readonly step: string;
  readonly wall: number;
  readonly cpu: number;
  readonly rss_mb: number;
  readonly rc: number;
  readonly repo_mb: number;
}

type Figure = 'wall' | 'cpu' | 'rss_mb' | 'repo_mb';

/** A figure that the product promises: ours divided by the peer's, lower is better. */
interface Target {
  readonly text: string;
  readonly set: string;
  readonly step: string;
  readonly figure: Figure;
  readonly peer: string;
  readonly firm: number;
  readonly hoped: number;
  /** Growth of the repository from this step on, instead of its size. */
  readonly growth?: boolean;
}

const target = (
  text: string, set: string, step: string, figure: Figure, peer: string, firm: number, hoped: number,
): Target => ({ text, set, step, figure, peer, firm, hoped });

export const TARGETS: readonly Target[] = [
  target('initial mail backup, CPU', 'A', 'backup', 'cpu', 'restic', 0.5, 0.3),
  target('initial mail backup, CPU', 'A', 'backup', 'cpu', 'borg', 0.75, 0.45),
  target('repository size', 'A', 'backup', 'repo_mb', 'restic', 0.65, 0.55),
  target('repository size', 'A', 'backup', 'repo_mb', 'borg', 0.65, 0.55),
  target('nothing changed, CPU', 'A', 'again', 'cpu', 'restic', 0.2, 0.05),
  target('incremental, CPU', 'D', 'backup', 'cpu', 'restic', 0.25, 0.1),
  { ...target('growth per version of a big file', 'C', 'backup', 'repo_mb', 'restic', 0.08, 0.05), growth: true },
  target('full restore, CPU', 'A', 'restore', 'cpu', 'restic', 0.8, 0.6),
  target('verify all data, CPU', 'A', 'verify', 'cpu', 'restic', 0.9, 0.7),
  target('one item restored, wall', 'A', 'restore_one', 'wall', 'restic', 0.5, 0.2),
  target('one item restored, CPU', 'A', 'restore_one', 'cpu', 'restic', 0.5, 0.2),
  target('peak memory of the backup', 'A', 'backup', 'rss_mb', 'restic', 1.5, 1.1),
  target('peak memory of the backup', 'A', 'backup', 'rss_mb', 'borg', 1.5, 1.1),
];

/** tool → set/step → medians, and for growth the mean size that a generation added. */
export type Medians = ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<Figure | 'growth' | 'failed', number>>>>;

export function medians(results: readonly StepResult[]): Medians {
  const tools = new Map<string, Map<string, Record<Figure | 'growth' | 'failed', number>>>();
  for (const tool of new Set(results.map((result) => result.tool))) {
    const steps = new Map<string, Record<Figure | 'growth' | 'failed', number>>();
    const own = results.filter((result) => result.tool === tool);
    for (const key of new Set(own.map((result) => `${result.set}/${result.step}`))) {
      const rows = own.filter((result) => `${result.set}/${result.step}` === key);
      const of = (figure: Figure): number => median(rows.map((row) => row[figure]));
      steps.set(key, {
        wall: of('wall'), cpu: of('cpu'), rss_mb: of('rss_mb'), repo_mb: of('repo_mb'), growth: growthOf(own, rows),
        failed: rows.filter((row) => row.rc !== 0).length,
      });
    }
    tools.set(tool, steps);
  }
  return tools;
}

/** Mean growth a generation after the first, in MB. */
function growthOf(own: readonly StepResult[], rows: readonly StepResult[]): number {
  const first = own.filter((row) => row.set === rows[0]?.set && row.step === 'backup0').map((row) => row.repo_mb);
  if (first.length === 0 || rows.length === 0) return Number.NaN;
  const perRound = rows.length / first.length;
  const last = first.map((_, round) => rows[(round + 1) * perRound - 1]?.repo_mb ?? Number.NaN);
  return median(first.map((size, round) => ((last[round] ?? Number.NaN) - size) / perRound));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The table of ratios, one row a target and one of our tools. */
export function compareWithTargets(all: Medians): string {
  const ours = [...all.keys()].filter((tool) => tool.startsWith('holdfast'));
  const lines = ['| figure | ours | peer | ratio | firm | hoped | |', '|---|---|---|---|---|---|---|'];
  for (const goal of TARGETS) {
    for (const tool of ours) lines.push(...row(goal, tool, all));
  }
  const steps = [...all].flatMap(([tool, byStep]) => [...byStep].map(([step, of]) =>
    `| ${step} | ${tool} | ${of.cpu.toFixed(2)} | ${of.wall.toFixed(2)} | ${of.rss_mb.toFixed(0)} | ${of.repo_mb.toFixed(1)} | ${of.failed} |`));
  return `${lines.join('\n')}\n\n| step | tool | CPU s | wall s | RSS MB | repository MB | failed |\n|---|---|---|---|---|---|---|\n${steps.toSorted().join('\n')}\n`;
}

function row(goal: Target, tool: string, all: Medians): string[] {
  const figure = goal.growth ? 'growth' : goal.figure;
  const mine = all.get(tool)?.get(`${goal.set}/${goal.step}`);
  const theirs = all.get(goal.peer)?.get(`${goal.set}/${goal.step}`);
  if (!mine || !theirs) return [];
  const ratio = mine[figure] / theirs[figure];
  const verdict = mine.failed > 0 ? 'step failed' : ratio <= goal.hoped ? 'hoped met' : ratio <= goal.firm ? 'firm met' : `missed by ${((ratio / goal.firm - 1) * 100).toFixed(0)} %`;
  return [`| ${goal.text} | ${tool} ${mine[figure].toFixed(2)} | ${goal.peer} ${theirs[figure].toFixed(2)} | ${ratio.toFixed(3)} | ${goal.firm} | ${goal.hoped} | ${verdict} |`];
}
