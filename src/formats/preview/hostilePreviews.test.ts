/** Foreign HTML in a real browser: raw it runs and loads, which shows that this would be seen; as a preview it does neither, also without the policy that it is served with. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { builtBelow, putIn, TOUCH_ALL } from '../../../tests/preview/browserScripts.ts';
import { startHitServer, type HitServer } from '../../../tests/preview/hitServer.ts';
import { vectors, type Vector } from '../../../tests/preview/vectors.ts';
import { nastyMails } from '../../../tests/roundTrip/nastyMails.ts';
import { startChromium } from '../../../tests/servers/chromium.ts';
import { PREVIEW_HEADERS, previewPage } from '../index.ts';
import { ALLOWED_TAGS, isAllowedAttribute } from './allowedHtml.ts';
import { NOTHING_LEFT_OUT } from './leftOut.ts';
import { previewMail } from './mailPreview.ts';

import { safeHtml } from './safeHtml.ts';

let browser: Browser;
let server: HitServer;
let all: readonly Vector[];

beforeAll(async () => {
  [browser, server] = await Promise.all([startChromium(), startHitServer()]);
  all = vectors(`${server.url}/hit`);
});
beforeEach(() => {
  server.hits.length = 0;
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** What calls to say that it ran is there before anything else of a page. */
const TELL = '<!doctype html><meta charset=utf-8><link rel=icon href="data:,"><script>window.fired=[];window.xss=(n)=>{fired.push(n)};</script>';

interface Seen {
  readonly page: Page;
  /** Everything that the browser asked for besides the page itself. */
  readonly requests: string[];
}

/** Opens a page and notes what it asks for. */
async function open(url: string): Promise<Seen> {
  const page = await browser.newPage();
  const requests: string[] = [];
  page.on('request', (request) => { if (request.url() !== url && !/^(?:data|about|blob):/.test(request.url())) requests.push(request.url()); });
  page.on('dialog', (dialog) => void dialog.dismiss());
  // Some of the raw ones never end to load.
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  return { page, requests };
}

const firedIn = (page: Page): Promise<number[]> => page.evaluate('window.fired');
const numbersIn = (paths: readonly string[]): number[] => paths.map((path) => Number(/\/hit\/(\d+)/.exec(path)?.[1] ?? -1));

test('raw, most of them run or load something: the control', async () => {
  // Every fourth one is enough to see that each class would be noticed; a frame each takes its time.
  const some = all.filter(({ number }) => number % 4 === 0);
  const frames = some.map(({ html, number }) => {
    server.serve(`/raw/${number}`, `<!doctype html><meta charset=utf-8><script>xss=parent.xss</script><body>${html}`);
    return `<iframe src="/raw/${number}" sandbox="allow-scripts allow-same-origin allow-forms"></iframe>`;
  });
  const { page } = await open(server.serve('/control', `${TELL}${frames.join('')}`));
  const told = async (): Promise<Set<number>> => new Set([...await firedIn(page), ...numbersIn(server.hits)]);
  // Some need an older browser, or a sanitiser that is fooled.
  await expect.poll(async () => {
    await page.evaluate(TOUCH_ALL);
    return (await told()).size;
  }, { timeout: 60_000, interval: 500 }).toBeGreaterThan(some.length / 2);
  const noticed = await told();
  for (const name of ['scripts', 'handlers', 'addresses', 'loads', 'mutations']) {
    expect(some.filter((one) => one.name.startsWith(name) && noticed.has(one.number)).length, name).toBeGreaterThan(1);
  }
  await page.close();
});

/** Shows fragments in the ways in which a console could, and expects that nothing comes of it. */
async function expectNothing(name: string, fragments: readonly string[]): Promise<void> {
  const bodies = fragments.map((html) => `<div class=preview>${html}</div>`).join('\n');
  const asPage = server.serve(`/${name}/page`, `${TELL}<body>${bodies}</body>`);
  const policed = server.serve(`/${name}/policed`, previewPage(fragments.join('\n')), PREVIEW_HEADERS);
  for (const url of [asPage, policed]) {
    const { page, requests } = await open(url);
    const violations: string[] = [];
    page.on('console', (message) => { if (message.text().includes('Content Security Policy')) violations.push(message.text()); });
    if (url === asPage) {
      await page.evaluate(putIn(fragments, 'preview'));
      await page.evaluate(TOUCH_ALL);
      for (const [tag, attributes] of await page.evaluate<[string, string[]][]>(builtBelow('.preview'))) {
        expect(ALLOWED_TAGS, tag).toContain(tag);
        for (const attribute of attributes) expect([tag, attribute, isAllowedAttribute(tag, attribute)]).toEqual([tag, attribute, true]);
      }
      expect(await page.evaluate(`document.querySelectorAll('body > :not(.preview)').length`)).toBe(0);
      // The last request of the page is our own: what it asked for before has arrived before it.
      await page.evaluate(`fetch('/last').then(() => undefined)`);
      expect(await firedIn(page)).toEqual([]);
      expect(requests).toEqual([`${server.url}/last`]);
    } else {
      await page.waitForLoadState('networkidle');
      expect(requests).toEqual([]);
    }
    expect(violations).toEqual([]);
    expect(page.url()).toBe(url);
    await page.close();
  }
  expect(server.hits).toEqual(['/last']);
}

test('sanitised, none of them runs, loads or leaves anything that is not allowed', async () => {
  await expectNothing('vectors', all.map(({ html }) => safeHtml(html).html));
});

test('nested in each other, cut off and doubled, neither', async () => {
  const wrapped = all.flatMap(({ html }, i) => {
    const other = all[(i * 37 + 11) % all.length]?.html ?? '';
    const ways = [
      html.slice(0, -1), html + other, `<table><tr><td>${html}<p>${other}`, `<div title="${html}">${html}`, html.replaceAll('<', '<<'), html.replaceAll('"', "'"), `<svg><style>${html}</style>${other}`, `<math><mtext>${html}${other}`,
    ];
    return [ways[i % ways.length] ?? '', ways[(i + 3) % ways.length] ?? ''];
  });
  await expectNothing('wrapped', wrapped.map((html) => safeHtml(html).html));
});

test('previews of mails that carry them, and of the nastiest mails at hand, neither', async () => {
  const carrying = all.map(({ html }) => `Subject: ${html.replaceAll(/[\r\n\0]/g, ' ')}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(html).toString('base64')}`);
  const texts = all.filter(({ number }) => number % 4 === 1).map(({ html }) => `Content-Type: text/plain; charset=utf-8\r\n\r\n${html}`);
  const { mails, origin } = nastyMails();
  const fragments: string[] = [];
  for (const bytes of [...[...carrying, ...texts].map((text) => Buffer.from(text)), ...mails.map((mail) => mail.bytes).filter((bytes) => /html/i.test(bytes.toString('latin1')))]) {
    const preview = await previewMail(bytes, { leftOut: NOTHING_LEFT_OUT, cut: false }).catch((error: unknown) => error as Error);
    if (!(preview instanceof Error)) fragments.push(preview.body?.html ?? '', ...preview.parts.map((part) => part.preview?.body?.html ?? ''));
    else expect(preview.name, origin).toBe('PreviewFailure');
  }
  expect(fragments.length).toBeGreaterThan(all.length);
  console.log(`previews of ${origin}`);
  await expectNothing('mails', [...new Set(fragments)]);
});
