export { Catalog } from './catalog.ts';
export type { AddOptions, AddResult, CatalogOptions } from './catalog.ts';
export { forgetEntity } from './forgetEntity.ts';
export { followSnapshots } from './followSnapshots.ts';
export type { CatalogSource } from './followSnapshots.ts';
export type {
  AddedCounts, CatalogSnapshot, ChildCount, DayCount, DiffPage, Direction, Page, PageOptions, PageOrder, RowDifference,
  RowVersion,
} from './protocol.ts';
export type { CatalogSearch } from './catalogSearch.ts';
export type {
  HitPage, HitPlace, IndexedVersion, PendingGroup, PendingVersion, SearchHit, SearchOptions, SearchQuery, SearchStatus,
} from './searchProtocol.ts';
export { trimCaches } from './trimCaches.ts';
