import { openSource } from './openSource.ts';

/** Run as another user by walkTree.test.ts: prints what is listed of the directory given, without times. */
const session = await openSource({ path: process.argv[2] ?? '' });
const told: unknown[] = [];
const context = {
  cursor: undefined,
  previous: { rows: () => { throw new Error('not asked for'); } },
  signal: new AbortController().signal,
  progress: () => {},
};
for await (const batch of session.enumerate(context)) {
  for (const change of batch) {
    if (change.type === 'item') told.push({ type: change.type, key: change.item.key, kind: change.item.kind });
    else if (change.type === 'exception') {
      told.push({ type: change.type, key: change.item.key, kind: change.item.kind, code: change.outcome.code });
    } else told.push(change);
  }
}
process.stdout.write(JSON.stringify(told));
