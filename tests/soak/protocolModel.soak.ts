import type { Soak } from '../../tools/soak.ts';
import { protocol } from '../model/protocol.ts';
import { corrected } from '../model/rules.ts';
import { largeScenarios, scenarios } from '../model/scenarios.ts';
import { search } from '../model/search.ts';
import { spareable } from '../model/spareable.ts';

/** The scenarios that are too large for the tests; some 2 GB of memory. There is nothing random in them. */
export const soak: Soak = {
  name: 'protocolModel',
  run: async () => {
    let states = 0;
    const searches = [
      ...largeScenarios.map((scenario) => ({ what: scenario.name, scenario, rules: corrected })),
      ...spareable.map(([what, rules]) => ({ what, scenario: scenarios.crashingAndReader, rules })),
    ];
    for (const { what, scenario, rules } of searches) {
      const found = search(protocol(scenario, rules, { alike: true }), 60_000_000);
      if (found.loss) throw new Error([what, found.loss.what, ...found.loss.trace].join('\n'));
      states += found.states;
      console.log(`${what}: ${found.states} states`);
    }
    return `${states} states in ${searches.length} searches, nothing is lost`;
  },
};
