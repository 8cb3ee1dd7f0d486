import type { Manifest } from '../repository/index.ts';
import type { KeyStyle } from '../recovery/index.ts';

/** A directory tree's keys are its paths; see the connector. */
export function keyStyleOf({ entity }: Pick<Manifest, 'entity'>): KeyStyle {
  return entity.service === 'folder' ? 'path' : 'opaque';
}
