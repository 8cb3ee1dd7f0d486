export * from './mailHeader.ts';
