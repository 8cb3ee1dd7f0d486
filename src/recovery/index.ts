export { browseDifference, type Difference, type DifferentPart } from './browseDifference.ts';
export { isTop, SnapshotBrowser, type KeyStyle, type Placed } from './browseSnapshot.ts';
export { openEntityCatalog } from './entityCatalog.ts';
export type { FolderMode } from './diskWrites.ts';
export { restoreFolder, type RestoreFolderOptions } from './restoreFolder.ts';
export type { RestoreIssue, RestoreReport } from './restoreReport.ts';
export { restoreToTarget, type RestoreToOptions } from './restoreToTarget.ts';
export { exportSnapshot, type ExportOptions } from './exportSnapshot.ts';
export type { ExportFormat, ExportIssue, ExportPart, ExportReport } from './exportReport.ts';
