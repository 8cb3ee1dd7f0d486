import type { Soak } from '../../tools/soak.ts';
import { protocol } from '../model/protocol.ts';
import { corrected } from '../model/rules.ts';
import { largeScenarios } from '../model/scenarios.ts';
import { search } from '../model/search.ts';

/** The scenarios that are too large for the tests; some 2 GB of memory. There is nothing random in them. */
export const soak: Soak = {
  name: 'protocolModel',
  run: async () => {
    let states = 0;
    for (const scenario of largeScenarios) {
      const found = search(protocol(scenario, corrected, { alike: true }), 60_000_000);
      if (found.loss) throw new Error([scenario.name, found.loss.what, ...found.loss.trace].join('\n'));
      states += found.states;
    }
    return `${states} states in ${largeScenarios.length} scenarios, nothing is lost`;
  },
};
