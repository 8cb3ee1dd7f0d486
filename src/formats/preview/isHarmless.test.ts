import { expect, test } from 'vitest';
import { vectors } from '../../../tests/preview/vectors.ts';
import { isHarmless } from './isHarmless.ts';
import { safeHtml } from './safeHtml.ts';

const PIXEL = 'data:image/png;base64,AAAA';

test('allowed tags in their plainest form are harmless', () => {
  for (const html of ['', 'text &amp; more', `<p style="color:red;font-family:&quot;A B&quot;,serif">a<br /><img alt="x" src="${PIXEL}" /></p>`, '<td nowrap colspan="2">x</td>', '<a title="javascript:x()">x</a>', '</p>', '<b>']) expect(isHarmless(html), html).toBe(true);
});

test('anything else is not, however it came to be', () => {
  const harmful = [
    '<', '>', 'a > b', '<p', '<p >', '<P>', '<script>', '</script>', '<svg>', '<math>', '<style>', '<template>', '<noscript>', '<textarea>', '<xmp>', '<iframe>', '<form>', '<base>', '<meta>', '<link>', '<!-- -->', '<!doctype html>', '<?x?>', '<![CDATA[',
    '<p onclick="x">', '<p id="x">', '<p name="x">', '<p class="x">', '<p href="x">', '<a href="https://a.test">', '<p title=x>', "<p title='x'>", '<p  title="x">', '<p title="x"title="y">', '<p title="a" title="b">', '<p/title="x">', '<p title="<">',
    '</p title="x">', '<img src="https://a.test/">', '<img src="//a.test/">', '<img src="cid:x">', '<img src="data:image/svg+xml;base64,AAAA">', '<img src="data:text/html;base64,AAAA">', `<img src="${PIXEL}&#x22;">`, `<p src="${PIXEL}">`, '<img src>', '<img srcset="x">',
    '<p style="background:url(x)">', '<p style="background:\\75rl(x)">', '<p style="background:image-set(&quot;x&quot; 1x)">', '<p style="a:expression(x)">', '<p style="color:red}">', '<p style="@import x">', '<p style="color:/**/red">', '<p style="color:&#114;ed">', '<p style>', '<p style="x">',
    '<p title="&#34;">', '<p title="&colon;">', '<p\ntitle="x">', '<p title="x"\n>', '<ımg>', '<p\0>',
  ];
  for (const html of harmful) expect(isHarmless(html), html).toBe(false);
});

test('what the sanitiser lets pass needs no second look: nothing falls back to plain text', () => {
  for (const { html, name } of vectors('http://a.test/hit')) expect([name, safeHtml(html).cut]).toEqual([name, false]);
});
