export { openDatabase } from './openDatabase.ts';
export type { Database, OpenDatabaseOptions } from './openDatabase.ts';
export type { DatabaseNotice } from './embedded/embeddedServer.ts';
export { isMigrated } from './migrate.ts';
export type * from './tables.ts';
export { listen } from './listen.ts';
export type { Listening } from './listen.ts';
