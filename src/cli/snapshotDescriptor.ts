import { HoldfastError } from '../domain/index.ts';
import type { Descriptor } from '../connectors/contract.ts';
import type { Manifest } from '../repository/index.ts';

/** The list of connectors loads them all, which takes longer than to restore a single file: the usual one goes past it. */
export async function snapshotDescriptor({ entity }: Manifest): Promise<Descriptor> {
  if (entity.service === 'folder') return (await import('../connectors/folder/index.ts')).descriptor;
  const found = (await import('../connectors/index.ts')).descriptorOf(entity.service);
  if (found) return found;
  throw new HoldfastError('cli/unknown-service', 'never',
    `The snapshot is of "${entity.service}", which this version does not know. Update Holdfast and try again.`);
}
