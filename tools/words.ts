/**
 * Checks two things that only the text shows: that a service is named nowhere in src but in the connectors and the
 * command line, and that the time of day is read in src/runtime alone. Run: `bin/node tools/words.ts`
 */
import { dirname } from 'node:path';
import { Visitor } from 'oxc-parser';
import type { CallExpression, NewExpression } from 'oxc-parser';
import { isForTests, lineAt, readModules, report } from './modules.ts';
import type { Finding, Module } from './modules.ts';

/** Folders that may name services: the connectors themselves, and the root that offers a command for each. */
const MAY_NAME_SERVICES = ['src/connectors/', 'src/cli/'];

/** Never anything but a service: found in names, texts and comments alike. */
const SERVICE_WORDS = new Set([
  'imap', 'exchange365', 'microsoft', 'microsoft365', 'office365', 'onedrive', 'sharepoint', 'onenote', 'google', 'gmail', 'salesforce',
  'dropbox',
]);

/** Ordinary words too: only a text that is nothing but the word tells services apart by it. */
const AMBIGUOUS_WORDS = new Set(['exchange', 'outlook', 'teams', 'groups', 'box', 'drive', 'workspace']);

/** Names of storages: where backups are put is not what is backed up. And what the environment calls settings, with the addresses that stand for them. */
const OTHER_NAMES = /Google Cloud Storage|google-auth-library|GoogleAuth|GOOGLE_APPLICATION_CREDENTIALS|googleapis|\bMICROSOFT(?:_[A-Z]+)+\b|(?:login\.microsoftonline|graph\.microsoft)\.com/g;

const NO_SERVICE_BECAUSE = 'what differs between services comes from a connector\'s descriptor, or each new service would change this place';
const NO_CLOCK_BECAUSE = 'only src/runtime reads the time of day; take a Clock, so that tests can set it';

export function checkWords(modules: readonly Module[]): Finding[] {
  return modules.filter(({ path }) => !isForTests(path)).flatMap((module) => [
    ...serviceNames(module),
    ...rawDates(module),
  ]);
}

function serviceNames({ path, text, program }: Module): Finding[] {
  if (MAY_NAME_SERVICES.some((folder) => path.startsWith(folder))) return [];
  const findings: Finding[] = [];
  const add = (offset: number, word: string): void => {
    findings.push({ path, line: lineAt(text, offset), message: `names the service "${word}": ${NO_SERVICE_BECAUSE}` });
  };
  const services = text.replaceAll(OTHER_NAMES, (name) => ' '.repeat(name.length));
  for (const match of services.matchAll(/[A-Za-z][A-Za-z0-9]*/g)) {
    const word = wordsOf(match[0]).find((part) => SERVICE_WORDS.has(part));
    if (word !== undefined) add(match.index, word);
  }
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === 'string' && AMBIGUOUS_WORDS.has(node.value.toLowerCase())) add(node.start, node.value);
    },
  }).visit(program);
  return findings;
}

/** `new Date()` and `Date()`: the one raw call that the linter has no rule for (see .oxlintrc.json for the others). */
function rawDates({ path, text, program }: Module): Finding[] {
  if (path.startsWith('src/runtime/')) return [];
  const findings: Finding[] = [];
  const check = (node: NewExpression | CallExpression): void => {
    if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date' || node.arguments.length > 0) return;
    findings.push({ path, line: lineAt(text, node.start), message: `reads the clock: ${NO_CLOCK_BECAUSE}` });
  };
  new Visitor({ NewExpression: check, CallExpression: check }).visit(program);
  return findings;
}

/** 'ImapFlow2Client' → imapflow2client, imap, flow2, client: the whole and its parts, lower case. */
function wordsOf(name: string): string[] {
  const parts = name.split(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/);
  return [name, ...parts].map((part) => part.toLowerCase());
}

if (import.meta.main) {
  const modules = readModules(dirname(import.meta.dirname), ['src']);
  report('words', modules.length, 'modules', checkWords(modules));
}
