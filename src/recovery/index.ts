import { loadedLater } from '../runtime/index.ts';
export { browseDifference, type Difference, type DifferentPart } from './browseDifference.ts';
export { isTop, keyOfPath, SnapshotBrowser, type KeyStyle, type Placed } from './browseSnapshot.ts';
export type { FolderMode } from './diskWrites.ts';
export type { RestoreFolderOptions } from './restoreFolder.ts';
export type { RestoreIssue, RestoreReport } from './restoreReport.ts';
export type { RestoreToOptions } from './restoreToTarget.ts';
export type { ExportOptions } from './exportSnapshot.ts';
export type { ExportFormat, ExportIssue, ExportPart, ExportReport } from './exportReport.ts';
export type { EntityHit, SearchAnswer, SearchedEntity, SearchGap, SearchRequest } from './searchEntities.ts';

export const keysAtPath = loadedLater(async () => (await import('./keysAtPath.ts')).keysAtPath);
export const exportSnapshot = loadedLater(async () => (await import('./exportSnapshot.ts')).exportSnapshot);
export const restoreFolder = loadedLater(async () => (await import('./restoreFolder.ts')).restoreFolder);
export const restoreToTarget = loadedLater(async () => (await import('./restoreToTarget.ts')).restoreToTarget);
export const searchEntities = loadedLater(async () => (await import('./searchEntities.ts')).searchEntities);
export const openEntityCatalog = loadedLater(async () => (await import('./entityCatalog.ts')).openEntityCatalog);
export const forgetWords = loadedLater(async () => (await import('./entityCatalog.ts')).forgetWords);
export const forgetCatalog = loadedLater(async () => (await import('./entityCatalog.ts')).forgetCatalog);
