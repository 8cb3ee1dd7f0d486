import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A private directory (0700) that goes away with all it holds. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** Made under the system's temporary directory (TMPDIR); dispose of it with `await using`. */
export async function makeScratch(purpose: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `holdfast-${purpose}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
