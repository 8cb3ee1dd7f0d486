import { expect, test } from 'vitest';
import { parseModule } from './modules.ts';
import { checkWords } from './words.ts';

function judge(path: string, text: string): string[] {
  return checkWords([parseModule(path, text)]).map(({ line, message }) => `${line}: ${message}`);
}

test.each([
  ['a name', 'const imapFolder = 1;'],
  ['a class', 'class ImapSource {}'],
  ['a capital name', 'const IMAP_PORT = 993;'],
  ['a text', "const kind = 'imap:alice';"],
  ['a comment', '// as OneDrive does it'],
  ['an import', "import 'imapflow'; type A = ImapFlow;"],
  ['an ordinary word as a whole text', "if (service === 'exchange') run();"],
])('sees a service in %s', (_name, text) => {
  const found = judge('src/backup/a.ts', text);
  expect(found.length).toBeGreaterThan(0);
  expect(found[0]).toMatch(/^1: names the service/);
});

test.each([
  ['a part of another word', 'const simaple = mailboxes;'],
  ['a storage', "import 'google-auth-library'; // Google Cloud Storage"],
  ['ordinary words', "// boxes exchange keys in teams\nconst exchange = 'key exchange'; const box = 'boxed';"],
])('lets %s pass', (_name, text) => {
  expect(judge('src/backup/a.ts', text)).toEqual([]);
});

test.each(['src/connectors/imap/a.ts', 'src/cli/backupImap.ts', 'src/backup/a.test.ts'])('%s may name services', (path) => {
  expect(judge(path, "const service = 'imap';")).toEqual([]);
});

test('sees the clock being read', () => {
  expect(judge('src/cli/a.ts', '\nnew Date();')).toEqual([expect.stringMatching(/^2: reads the clock/)]);
  expect(judge('src/connectors/imap/a.ts', 'Date();')).toHaveLength(1);
});

test('a date of a given time reads no clock, and runtime may read it', () => {
  expect(judge('src/cli/a.ts', 'new Date(0); new Date(row.modified).toISOString();')).toEqual([]);
  expect(judge('src/runtime/clock.ts', 'new Date();')).toEqual([]);
});
