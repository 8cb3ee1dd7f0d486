import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Everything below a directory, bytes of names as latin1, with all that a restore gives back. */
export function picture(top: string): Record<string, string> {
  const seen: Record<string, string> = {};
  const walk = (path: Buffer, shown: string): void => {
    const { mode, uid, gid, mtimeNs, size, isFile, isDirectory } = statOf(path);
    const body = isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : isDirectory ? '' : readlinkSync(path, 'latin1');
    // Times are set through floating point seconds.
    seen[shown] = [mode.toString(8), uid, gid, (mtimeNs + 500n) / 1000n, isFile ? size : '', body].join(' ');
    if (!isDirectory) return;
    for (const name of readdirSync(path, 'buffer')) walk(Buffer.concat([path, Buffer.from('/'), name]), `${shown}/${name.toString('latin1')}`);
  };
  walk(Buffer.from(top), '.');
  return seen;
}

function statOf(path: Buffer): { mode: bigint; uid: bigint; gid: bigint; mtimeNs: bigint; size: bigint; isFile: boolean; isDirectory: boolean } {
  const stats = lstatSync(path, { bigint: true });
  return { mode: stats.mode, uid: stats.uid, gid: stats.gid, mtimeNs: stats.mtimeNs, size: stats.size, isFile: stats.isFile(), isDirectory: stats.isDirectory() };
}
