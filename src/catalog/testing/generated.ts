import type { ItemRow } from '../../domain/index.ts';
import { row, snapshotOf } from './model.ts';
import type { ModelSnapshot } from './model.ts';

/** The same history in every process: 400 rows, of which each snapshot renames some, ends some and adds some. */
export function generated(count: number): ModelSnapshot[] {
  const snapshots: ModelSnapshot[] = [];
  let state = new Map<string, ItemRow>([['F', row({ key: 'F', kind: 'folder' })]]);
  for (let index = 0; index < count; index++) {
    state = new Map(state);
    for (let item = 0; item < (index === 0 ? 400 : 40); item++) {
      const key = `k${String((item * 7 + index * 131) % 997).padStart(4, '0')}`;
      if ((item + index) % 5 === 0 && index > 0) state.delete(key);
      else state.set(key, row({ key, parent: 'F', name: `name ${index} ${item}`, size: item }));
    }
    snapshots.push(snapshotOf(index, state));
  }
  return snapshots;
}
