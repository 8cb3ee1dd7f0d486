import type { Soak } from '../../tools/soak.ts';
import type { Throughput } from '../bench/s3Throughput.ts';
import { runNode } from '../scale/runNode.ts';
import { soakSize } from './soakShare.ts';

const MEGABYTES = soakSize(2000);
const ROUNDS = 3;
const LEAST_RATIO = 0.8;
const TIMEOUT_MS = 3_600_000;

/** How fast a backup into a bucket on this machine is beside one into a folder. For a machine that does nothing else. */
export const soak: Soak = {
  name: 's3Throughput',
  run: async () => {
    const { fileMBs, s3MBs, ratio, peakMiB, storedMB, requestsPerGB } =
      await runNode<Throughput>('tests/bench/s3Throughput.ts', [String(MEGABYTES), String(ROUNDS)], TIMEOUT_MS);
    const requests = Object.entries(requestsPerGB).map(([kind, count]) => `${kind} ${count}`).join(', ');
    const shown = `${MEGABYTES} MB, ${Math.round(storedMB)} MB stored: folder ${fileMBs.toFixed(1)} MB/s, bucket of Ceph on the same two cores ${s3MBs.toFixed(1)} MB/s, `
      + `ratio ${ratio.toFixed(2)} (goal ${LEAST_RATIO}); requests for each GB stored: ${requests}; peak memory of both ${peakMiB} MiB`;
    if (ratio < LEAST_RATIO) throw new Error(shown);
    return shown;
  },
};
