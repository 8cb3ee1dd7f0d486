import type { Soak } from '../../tools/soak.ts';
import { ENTITY_SORTS } from '../../src/domain/index.ts';
import { makeTask } from '../service/testTasks.ts';
import type { Person } from '../service/person.ts';
import { TestService } from '../service/testService.ts';
import { soakSize } from './soakShare.ts';

const MOST_MS = 100;
const TIMES = 7;
const FILTERS = ['search=zzz', 'search=person%20m', 'status=failed', 'licence=unlicensed', 'elsewhere=true', 'elsewhere=false', 'limited=true', 'kind=shared&status=paused&search=9'];

interface Timed {
  readonly what: string;
  readonly ms: number;
}

/** Pages, counts and the overview over 50,000 entities, of which another task has 1,000 too: half of the answers over HTTP within 100 ms, whatever is asked for. */
export const soak: Soak = {
  name: 'entityLists',
  run: async () => {
    await using service = await TestService.start();
    const owner = await service.owner();
    const id = await makeTask(service, owner, soakSize(50_000));
    await makeTask(service, owner, soakSize(1_000));
    await service.database.pool.query('vacuum analyze entities');
    const path = `/api/v1/tasks/${id}/entities`;
    const timed: Timed[] = [];
    for (const sort of ENTITY_SORTS) timed.push(await time(owner, `${path}?sort=${sort}&order=down`), await time(owner, await secondPage(owner, `${path}?sort=${sort}`)));
    for (const filter of FILTERS) timed.push(await time(owner, `${path}?${filter}`), await time(owner, `${path}/counts?${filter}`));
    timed.push(await time(owner, '/api/v1/tasks'));
    const slowest = timed.toSorted((a, b) => b.ms - a.ms).slice(0, 3).map(({ what, ms }) => `${what.replace(path, '…')}: ${ms.toFixed(0)} ms`);
    const shown = `${timed.length} questions; the slowest by median: ${slowest.join(', ')}`;
    if (timed.some(({ ms }) => ms > MOST_MS)) throw new Error(`${shown}: more than ${MOST_MS} ms`);
    return shown;
  },
};

async function secondPage(owner: Person, path: string): Promise<string> {
  const { next = '' } = await owner.read<{ next?: string }>(path);
  return `${path}&cursor=${next}`;
}

async function time(owner: Person, what: string): Promise<Timed> {
  const all: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const start = performance.now();
    await owner.read(what);
    all.push(performance.now() - start);
  }
  return { what, ms: all.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? 0 };
}
