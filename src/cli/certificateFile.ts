import { closeSync, fstatSync, fsyncSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { HoldfastError, messageOf } from '../domain/index.ts';
import type { ErasureCertificate } from '../repository/index.ts';
import { usageError } from './presentError.ts';

/** The file of a certificate: opened before anything is erased, so that it can be written afterwards. Goes again where nothing was written. */
export class CertificateFile implements Disposable {
  readonly path: string;
  readonly #made: boolean;
  #handle: number | undefined;
  #written = false;

  /** Errors: `usage/certificate-exists`, unless what is there is empty: a run that was killed leaves it so; `erase/certificate-unwritable`. */
  constructor(path: string) {
    this.path = path;
    const there = statSync(path, { throwIfNoEntry: false });
    if (there && (there.size > 0 || there.isDirectory())) throw exists(path);
    this.#made = !there;
    try {
      this.#handle = openSync(path, there ? 'r+' : 'wx', 0o600);
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? exists(path) : new HoldfastError('erase/certificate-unwritable', 'input',
        `Nothing was erased, since the certificate could not be written: ${messageOf(cause)}. Give another --certificate.`, { cause });
    }
  }

  write(certificate: ErasureCertificate): void {
    if (this.#handle === undefined) throw new TypeError('the file of the certificate is closed');
    writeFileSync(this.#handle, `${JSON.stringify(certificate, undefined, 1)}\n`);
    if (fstatSync(this.#handle).isFile()) fsyncSync(this.#handle);
    this.#written = true;
  }

  [Symbol.dispose](): void {
    if (this.#handle !== undefined) closeSync(this.#handle);
    this.#handle = undefined;
    if (this.#made && !this.#written) rmSync(this.path, { force: true });
  }
}

function exists(path: string): HoldfastError {
  return usageError('certificate-exists', `${path} exists, and a certificate is never written over. Give another --certificate.`);
}
