import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkDocLinks, headingsOf, linksOf } from './docLinks.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-links-'));
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'docs', 'other.md'), '# Write order & more\n\n## Twice\n## Twice\n');
});

afterAll(() => rmSync(root, { recursive: true }));

function judge(markdown: string): string[] {
  writeFileSync(join(root, 'docs', 'page.md'), markdown);
  return checkDocLinks(root, ['docs/page.md']).map(({ line, message }) => `${line}: ${message}`);
}

test('links that lead somewhere pass', () => {
  expect(judge([
    '# Here', '[a](other.md) [b](#here) [c](other.md#write-order--more) [d](other.md#twice-1) [e](../docs/)',
    '[f](https://example.test/x) [g](mailto:a@example.test) [h]', '', '[h]: other.md "title"',
  ].join('\n'))).toEqual([]);
});

test.each([
  ['a missing file', '\n[a](gone.md)', /^2: links to gone.md: there is no docs\/gone.md/],
  ['a missing picture', '![a](gone.png)', /gone.png/],
  ['a missing heading', '[a](other.md#nothing)', /no heading #nothing/],
  ['a missing heading of its own', '[a](#nothing)', /docs\/page.md has no heading/],
  ['a definition', '[a]\n\n[a]: gone.md', /^3: links to gone.md/],
  ['HTML', '<img alt="x" src="gone.svg">', /gone.svg/],
  ['a way out of the repository', '[a](../../etc/hosts)', /outside/],
  ['an absolute path', '[a](/docs/other.md)', /relative/],
])('sees %s', (_name, markdown, reason) => {
  const found = judge(markdown);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(reason);
});

test('what stands in code is text', () => {
  expect(linksOf('`[a](gone.md)` and\n```md\n[a](gone.md)\n```\n[b](there.md)')).toEqual([{ target: 'there.md', line: 5 }]);
});

test('headings get the anchors of forges', () => {
  const headings = headingsOf('# The `pack` file, v1\n## A [link](x.md) here\n```\n# not one\n```\n');
  expect([...headings]).toEqual(['the-pack-file-v1', 'a-link-here']);
});
