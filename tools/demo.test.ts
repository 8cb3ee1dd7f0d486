import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './childProcess.ts';
import { DemoMails } from './demoMails.ts';

const ROOT = dirname(import.meta.dirname);

test('the demo comes to its good end and leaves nothing behind', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-demo-'));
  const { code, output } = await run(join(ROOT, 'bin', 'node'), [join(ROOT, 'tools', 'demo.ts')], { cwd: ROOT, timeoutMs: 110_000 });
  expect(code, output).toBe(0);
  for (const sentence of ['every date of arrival: the same.', '141 left as they are', 'The repository is sound.']) expect(output).toContain(sentence);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-demo-'))).toEqual(before);
});

test('its mails are the same on every run, and no two of them', () => {
  const [one, two] = [new DemoMails(7).all(), new DemoMails(7).all()];
  expect(one).toEqual(two);
  expect(new Set(one.map(({ bytes }) => bytes.toString('latin1'))).size).toBe(one.length);
  for (const { bytes } of one) expect(bytes.toString('latin1')).not.toMatch(/[^\r]\n/);
});
