import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { CHROMIUM_PLACES } from './chromiumPlaces.ts';

const START_MS = 60_000;

/** Debian's browser, without anything that it does by itself over the network. The caller closes it. */
export async function startChromium(): Promise<Browser> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...CHROMIUM_PLACES];
  const executablePath = folders.map((folder) => join(folder, 'chromium')).find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('chromium is missing; "npm test" as root installs it');
  return chromium.launch({
    executablePath, timeout: START_MS,
    // A container has no namespaces to give; what is loaded here is made up by tests.
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-dev-shm-usage', '--disable-gpu'],
  });
}
