import type { Soak } from '../../tools/soak.ts';
import { S3Place } from '../repository/s3Place.ts';
import { mailsThereAndBack } from '../roundTrip/mailRounds.ts';
import { startCeph } from '../servers/ceph.ts';
import { soakSize } from './soakShare.ts';

const MAILS = soakSize(5_000);
const ROUNDS = 2;

/** As the soak roundTrip, through a bucket. */
export const soak: Soak = {
  name: 'roundTripOnS3',
  run: async ({ seed }) => {
    const server = await startCeph();
    try {
      const storage = await new S3Place(server, await server.makeBucket()).fresh();
      const mails = await mailsThereAndBack(storage, { mails: MAILS, rounds: ROUNDS, seed });
      return `${mails} mails in ${ROUNDS + 1} snapshots came back from a bucket of Ceph as another client sees them`;
    } finally {
      await server.stop();
    }
  },
};
