import type { Rules } from './rules.ts';
import { corrected, without } from './rules.ts';

/** Steps that save work or space, or keep the listing honest; safety does not hang on them. */
export const spareable: readonly (readonly [string, Rules])[] = [
  ['the index names doomed packs', { ...corrected, indexWithoutDoomed: false }],
  ['records and voids are kept for ever, packs and manifest not looked at', {
    ...corrected,
    writer: corrected.writer.filter((step) => step !== 'listPacksAgain' && step !== 'lookAtManifest'),
    pruner: corrected.pruner.filter((step) => step !== 'deleteVoid' && step !== 'deleteRecord'),
  }],
  ['one void for all that nobody takes back', { ...corrected, ownVoids: false, withdraws: false }],
  ['the record is not reduced', without(corrected, 'pruner', 'putReduced')],
];
