export * from './mailHeader.ts';
export * from './mboxrd.ts';
export * from './safeFileName.ts';
