/** `node reachedParsers.ts`: feeds the samples of all targets and prints as JSON which functions of src ran, as 'file name' each. */
import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findWith } from './fuzzCase.ts';
import { fuzzTargets } from './fuzzTargets.ts';

const ROOT = new URL('../../', import.meta.url);

/** Begun only now: making the samples runs parsers too, and says nothing of what the targets reach. */
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
for (const target of fuzzTargets) {
  for (const sample of target.samples) {
    const found = await findWith(target, Buffer.from(sample), true);
    if (found !== undefined) throw new Error(`${target.name}: ${found}`);
  }
}
const { result } = await session.post('Profiler.takePreciseCoverage');
session.disconnect();
const reached = result.filter(({ url }) => url.startsWith(new URL('src/', ROOT).href)).flatMap(({ url, functions }) => {
  const file = relative(fileURLToPath(ROOT), fileURLToPath(url));
  return functions.filter(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0).map(({ functionName }) => `${file} ${functionName}`);
});
process.stdout.write(`${JSON.stringify(reached)}\n`);
