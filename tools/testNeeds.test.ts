import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { missingMessage, missingNeeds } from './testNeeds.ts';

test('looks in PATH and in the places of its own, and names what is in neither', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-needs-'));
  try {
    writeFileSync(join(folder, 'here'), '');
    const need = (program: string, places: string[]) => ({ program, package: `${program}-package`, places });
    const needs = [need('here', []), need('gone', ['/nowhere']), need('gone2', [])];
    expect(missingNeeds(needs, `/nowhere${delimiter}${folder}`).map(({ program }) => program)).toEqual(['gone', 'gone2']);
    expect(missingNeeds([need('here', [folder])], '')).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('one message names every program, and each package once', () => {
  const message = missingMessage([
    { program: 'a', package: 'p', places: [] },
    { program: 'b', package: 'p', places: [] },
    { program: 'c', package: 'q', places: [] },
  ]);
  expect(message).toContain('a, b, c');
  expect(message).toContain('apt-get install p q');
});
