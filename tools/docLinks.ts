/** Checks that every relative link of the Markdown files leads to something that exists, heading and all. Run: `bin/node tools/docLinks.ts` */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { filesUnder, lineAt, report } from './modules.ts';
import type { Finding } from './modules.ts';

/** Where documents lie; Markdown at the root is read too. */
const FOLDERS = ['.ci', 'changelog', 'docs', 'src', 'tests', 'tools'];
const ROOT_DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

interface Link {
  readonly target: string;
  readonly line: number;
}

/** Paths are from `root`, with '/'. */
export function checkDocLinks(root: string, documents: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  for (const path of documents) {
    for (const { target, line } of linksOf(readFileSync(join(root, path), 'utf8'))) {
      const message = judge(root, path, target);
      if (message !== undefined) findings.push({ path, line, message });
    }
  }
  return findings;
}

function judge(root: string, from: string, link: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('//')) return undefined;
  const hash = link.indexOf('#');
  const file = decodeURIComponent(hash < 0 ? link : link.slice(0, hash));
  const heading = hash < 0 ? '' : link.slice(hash + 1);
  if (file.startsWith('/')) return `links to ${link}: write it relative to this file`;
  const target = file === '' ? from : posix.join(posix.dirname(from), file);
  if (target.startsWith('../')) return `links to ${link}: that is outside of the repository`;
  if (!existsSync(join(root, target))) return `links to ${link}: there is no ${target}`;
  if (heading === '' || !target.endsWith('.md') || statSync(join(root, target)).isDirectory()) return undefined;
  if (headingsOf(readFileSync(join(root, target), 'utf8')).has(heading)) return undefined;
  return `links to ${link}: ${target} has no heading #${heading}`;
}

/** Inline links, images and reference definitions; what stands in code is text. */
export function linksOf(markdown: string): Link[] {
  const text = withoutCode(markdown);
  const inline = text.matchAll(/\]\(\s*<?([^()\s>]+(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+"[^"]*")?\s*\)/g);
  const definitions = text.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s+"[^"]*")?\s*$/gm);
  const attributes = text.matchAll(/<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g);
  return [...inline, ...definitions, ...attributes].map((match) => ({
    target: match[1] ?? '',
    line: lineAt(text, match.index),
  }));
}

/** The anchors that a Markdown page gets for its headings, as forges make them. */
export function headingsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const match of withoutFences(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const text = (match[1] ?? '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  for (const match of markdown.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(match[1] ?? '');
  return anchors;
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, blank);
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^ {0,3}(```+|~~~+)[^\n]*\n[\s\S]*?^ {0,3}\1[`~]*\s*?$/gm, blank);
}

/** Same length and lines, so that positions stay true. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  const documents = [...ROOT_DOCUMENTS.filter((path) => existsSync(join(root, path))), ...filesUnder(root, FOLDERS, '.md')];
  if (documents.length === 0) throw new Error(`no document was read in ${root}`);
  report('docLinks', documents.length, 'documents', checkDocLinks(root, documents));
}
