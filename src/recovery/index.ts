export { browseDifference, type Difference, type DifferentPart } from './browseDifference.ts';
export { isTop, SnapshotBrowser, type KeyStyle, type Placed } from './browseSnapshot.ts';
