import { FORMAT_VERSION } from './sealedObject.ts';

/** The clear part of a repository: which format it is in, so that a reader knows before it has a key. */
export interface Config {
  readonly format: 'holdfast';
  readonly version: number;
  readonly repository: string;
}

/** The bytes of the config object. */
export function configBytes(repository: string): Buffer {
  const config: Config = { format: 'holdfast', version: FORMAT_VERSION, repository };
  return Buffer.from(`${JSON.stringify(config)}\n`);
}
