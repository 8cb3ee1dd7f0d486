import type { Setting } from '../runtime/index.ts';

/** Settings as a help text lists them. */
export function settingsList(settings: Readonly<Record<string, Setting>>): string {
  const all = Object.values(settings);
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  return all.map(({ name, text, fallback }) => `  ${name.padEnd(width)}${text}${fallback === undefined ? '' : ` (default: ${fallback})`}`).join('\n');
}
