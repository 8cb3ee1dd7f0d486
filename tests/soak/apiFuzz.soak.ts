import type { Soak } from '../../tools/soak.ts';
import { fuzzApi } from '../apiFuzz/fuzzApi.ts';
import { TestService } from '../service/testService.ts';
import { soakSize } from './soakShare.ts';

const ROUNDS = 20;
const RUNS = 100;

/** What tests/apiFuzz shows with some requests, with thousands to each operation, each round with a seed and a service of its own. */
export const soak: Soak = {
  name: 'apiFuzz',
  run: async ({ seed }) => {
    const runs = soakSize(RUNS);
    let requests = 0;
    let operations = 0;
    const statuses: Record<string, number> = {};
    for (let round = 0; round < soakSize(ROUNDS); round++) {
      await using service = await TestService.start();
      const report = await fuzzApi(service, { seed: seed + round, runs });
      const errors = service.log.filter(({ level }) => level === 'error');
      if (errors.length > 0) throw new Error(`seed ${seed + round}: the log tells of errors: ${JSON.stringify(errors[0])}`);
      requests += report.requests;
      operations = report.operations;
      for (const [status, count] of Object.entries(report.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
    }
    return `${requests} requests to ${operations} operations: nothing failed, each refusal a sentence, each answer as the document says; by status ${Object.entries(statuses).map(([status, count]) => `${status}: ${count}`).join(', ')}`;
  },
};
