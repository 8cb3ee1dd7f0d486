import type { Soak } from '../../tools/soak.ts';
import { throttleShare } from '../bench/throttleShare.ts';
import { timeLeftOfBackup } from '../bench/timeLeftOfBackup.ts';
import { faultyAccount } from '../exchange/faultyAccount.ts';
import { killedBackup } from '../exchange/killedBackup.ts';
import { unchangedTenant } from '../exchange/unchangedTenant.ts';
import { inScratch } from '../scale/runNode.ts';
import { soakSize } from './soakShare.ts';

const MAILBOXES = soakSize(1000);
const ITEMS = soakSize(20_000);
/** As the product has it. */
const PAGE = 512;
const KILLS = 5;

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

const parts: Readonly<Record<string, (seed: number) => Promise<string>>> = {
  unchanged: async () => {
    const { mailboxes, kinds, first } = await unchangedTenant(MAILBOXES, 25);
    const shown = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`).join(', ');
    return `${mailboxes} mailboxes without a change: ${shown}, and nothing else (the first backups: ${first} requests)`;
  },
  faults: async (seed) => {
    const { rows, requests, struck } = await faultyAccount(ITEMS, seed);
    return `${struck} of ${requests} requests failed (${percent(struck / requests)}): ${rows} rows and their contents as without faults, complete`;
  },
  kills: async (seed) => await inScratch(async (directory) => {
    const { kills, clean, asked, mostAgain, listing } = await killedBackup(directory, { items: ITEMS, page: PAGE, kills: KILLS, seed });
    return `${kills} kills in a backup of ${clean} mails: ${asked - clean} contents asked for again in all, ${mostAgain} after one kill at most (a page is ${PAGE}); each run lists anew with ${listing} requests`;
  }),
  timeLeft: async () => {
    const shown: string[] = [];
    for (const kind of ['all', 'mail'] as const) {
      const { count, worst, minutes } = await timeLeftOfBackup(ITEMS, { parts: kind });
      shown.push(`${kind === 'all' ? 'all parts' : 'mail alone'}: ${count} estimates in a backup of ${minutes} minutes, from its first tenth on: ${percent(worst)} off at most`);
      if (count === 0 || worst > 0.2) throw new Error(`${shown.join('; ')}: more than 20 %`);
    }
    return shown.join('; ');
  },
  throttle: async () => {
    const { requests, refused, permitted } = await throttleShare({ mailboxes: 50, requests: Math.max(20, soakSize(10_000)), windows: 2 });
    const shown = `50 mailboxes at once: ${percent((requests - refused) / permitted)} of ${permitted} permitted requests, ${refused} refused`;
    if ((requests - refused) / permitted < 0.95 || refused > requests / 100) throw new Error(`${shown}: under 95 %, or more than 1 % refused`);
    return shown;
  },
};

/** What a backup of Exchange asks of the service: nothing new, with faults, killed, how long it says that it takes, and how much of what is permitted it uses. */
export const soak: Soak = {
  name: 'exchange',
  parts: Object.keys(parts),
  run: async ({ seed, part }) => {
    const proof = parts[part];
    if (!proof) throw new Error(`there is no part "${part}"`);
    return await proof(seed);
  },
};
