import type { Soak } from '../../tools/soak.ts';
import { throttleShare } from '../bench/throttleShare.ts';
import { throttledBackups } from '../bench/throttledBackups.ts';
import { timeLeftOfBackup } from '../bench/timeLeftOfBackup.ts';
import { faultyAccount } from '../exchange/faultyAccount.ts';
import { killedBackup } from '../exchange/killedBackup.ts';
import { unchangedTenant } from '../exchange/unchangedTenant.ts';
import { inScratch } from '../scale/runNode.ts';
import { soakSize } from './soakShare.ts';

const MAILBOXES = soakSize(1000);
const ITEMS = soakSize(20_000);
/** As the product has it, which is what it has unless told, too: MIME and streams. */
const PAGE = 1000;
const FIDELITY = 'both';
const KILLS = 5;
/** Of each mailbox in ten minutes. */
const PERMITTED = soakSize(250);

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

function sharePassed(shown: string, share: number, refused: number): string {
  if (share < 0.95 || refused > 0.01) throw new Error(`${shown}: under 95 %, or more than 1 % refused`);
  return shown;
}

const parts: Readonly<Record<string, (seed: number) => Promise<string>>> = {
  unchanged: async () => {
    const { mailboxes, kinds, first } = await unchangedTenant(MAILBOXES, 25);
    const shown = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`).join(', ');
    return `${mailboxes} mailboxes without a change: ${shown}, and nothing else (the first backups: ${first} requests)`;
  },
  faults: async (seed) => {
    const { rows, requests, struck } = await faultyAccount(ITEMS, { seed, fidelity: FIDELITY });
    return `${struck} of ${requests} requests failed (${percent(struck / requests)}): ${rows} rows and their contents as without faults, complete`;
  },
  kills: async (seed) => await inScratch(async (directory) => {
    const { kills, clean, asked, mostAgain, listing } = await killedBackup(directory, { items: ITEMS, page: PAGE, kills: KILLS, seed, fidelity: FIDELITY });
    return `${kills} kills in a backup of ${clean} contents: ${asked - clean} asked for again in all, ${mostAgain} after one kill at most (a page is ${PAGE}); each run lists anew with ${listing} requests`;
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
    return sharePassed(`50 mailboxes at once: ${percent((requests - refused) / permitted)} of ${permitted} permitted requests, ${refused} refused`, (requests - refused) / permitted, refused / requests);
  },
  throttledBackups: async () => {
    const { requests, refused, least, minutes } = await throttledBackups({ mailboxes: 50, items: Math.max(100, soakSize(600)), permitted: Math.max(50, PERMITTED) });
    return sharePassed(`50 backups at once, ${requests} requests in ${minutes} minutes of the service's: at least ${percent(least)} of the permitted requests of each mailbox, ${refused} refused`, least, refused / requests);
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
