import type { ExportLog } from './exportLog.ts';
import type { HashedFile } from './hashedFile.ts';

/** One of the files that hold several items, with the number of those in it. */
export class PartFile {
  readonly file: HashedFile;
  items = 0;

  constructor(file: HashedFile) {
    this.file = file;
  }

  async finish(log: ExportLog): Promise<void> {
    const sha256 = await this.file.finish();
    await log.part({ file: this.file.name, size: this.file.length, sha256, items: this.items });
  }
}
