import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Location } from './s3Location.ts';

/** OpenStack Swift behind its S3 interface sends this with every reply; Ceph, which speaks Swift too, only with those of that protocol. */
const SWIFT_HEADER = 'x-openstack-request-id';

/** What is known of the service from its replies. */
export class S3Service {
  #swift = false;
  readonly #amazon: boolean;

  constructor(client: S3Client, place: S3Location) {
    this.#amazon = place.endpoint === undefined;
    client.middlewareStack.add((next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      if (headers?.[SWIFT_HEADER] !== undefined) this.#swift = true;
      return result;
    }, { step: 'deserialize', name: 'holdfastService', priority: 'low' });
  }

  /**
   * As the contract has it. Amazon promises consistent listings. Swift updates those of a container after the fact when its servers are busy or
   * apart ("eventual consistency" in its overview), however well a small one does. Others promise nothing that could be asked for.
   */
  get listing(): 'unproved' | 'late' | undefined {
    if (this.#amazon) return undefined;
    return this.#swift ? 'late' : 'unproved';
  }
}
