export { runBackup, type BackupOptions } from './runBackup.ts';
