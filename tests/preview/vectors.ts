/**
 * Foreign HTML that wants to run or to load something, by classes that OWASP and the papers on mutation name. `JS` stands for a call that tells that it ran, `URL` for an address that tells that it
 * was asked for. One line each.
 */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  scripts: [
    '<script>JS</script>', '<SCRIPT SRC="URL"></SCRIPT>', '<script\n>JS</script\n>', '<scr<script></script>ipt>JS</script>', '<script/x>JS</script >', '<script src=URL type=module></script>', '<svg><script>JS</script></svg>',
    '<svg><script href="URL"/></svg>', '<script>JS', '<script src=URL', '<<script>JS//<</script>', '<math><script>JS</script></math>', '<noscript><p title="</noscript><script>JS</script>">',
  ],
  handlers: [
    '<img src=x: onerror=JS>', '<img src="x:" onerror="JS"', '<body onload=JS>', '<svg onload=JS>', '<svg/onload=JS>', '<details open ontoggle=JS>x</details>', '<input autofocus onfocus=JS>', '<div onclick=JS>press</div>',
    '<p onmouseover="JS">over</p>', '<video><source onerror=JS></video>', '<audio src=x: onerror=JS>', '<img """><img src=x: onerror=JS>">', '<img src=x: onerror\n=\nJS>', '<img/src=x:/onerror=JS>', '<IMG SRC=x: OnErRoR=JS>',
    '<img src=x: onerror=&#x4A;S>', '<marquee onstart=JS>x</marquee>', '<div style="animation:x 1s" onanimationstart=JS>x</div>', '<img src=x: \x00onerror=JS>', '<p/onclick=JS>press</p>', '<b onfocus=JS tabindex=1>x</b>',
    '<a title="x" onclick=\'JS\'>press</a>', '<td onclick=JS>cell</td>', '<form onsubmit=JS><button>go</button></form>', '<button onclick="JS">go</button>', '<iframe onload=JS></iframe>', '<object onerror=JS data=x:></object>',
  ],
  addresses: [
    '<a href="javascript:JS">press</a>', '<a href="&#106;avascript:JS">press</a>', '<a href="jav&#x09;ascript:JS">press</a>', '<a href="java\nscript:JS">press</a>', '<a href="&#1;javascript:JS">press</a>', '<a href=" javascript:JS">press</a>',
    '<a href="JaVaScRiPt&colon;JS">press</a>', '<a href="javascript&#58;JS">press</a>', '<a href="data:text/html,<script>parent.JS</script>">press</a>', '<a href="vbscript:JS">press</a>', '<a href="URL" ping="URL">press</a>',
    '<a href="URL" target=_top>press</a>', '<iframe src="javascript:parent.JS"></iframe>', '<iframe src="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="></iframe>', '<form action="javascript:JS"><input type=submit></form>',
    '<button form=f formaction="javascript:JS">go</button><form id=f></form>', '<svg><a xlink:href="javascript:JS"><text y=20>press</text></a></svg>', '<math href="javascript:JS">press</math>', '<area href="javascript:JS" shape=default>',
    '<embed src="javascript:JS">', '<object data="javascript:JS"></object>', '<img src="javascript:JS">', '<a href="//[::1]/URL">press</a>',
  ],
  loads: [
    '<img src="URL">', '<img src=URL', '<img srcset="URL 2x">', '<img src="data:image/svg+xml,<svg xmlns=\'http://www.w3.org/2000/svg\'><image href=\'URL\'/></svg>">', '<picture><source srcset="URL"><img></picture>', '<table background="URL"><tr><td>x</table>',
    '<body background="URL">', '<td background=URL>x</td>', '<link rel=stylesheet href="URL">', '<link rel=prefetch href="URL">', '<link rel=icon href="URL">', '<link rel=preload as=image href="URL">', '<style>@import "URL";</style>',
    '<style>body{background:url(URL)}</style>', '<div style="background:url(URL)">x</div>', '<div style="background-image:url(\'URL\')">x</div>', '<div style="background:\\75\\72\\6c(URL)">x</div>', '<div style="back/**/ground:u/**/rl(URL)">x</div>',
    '<div style="list-style-image:url(URL);display:list-item">x</div>', '<div style="content:image-set(\'URL\' 1x)">x</div>', '<div style="border-image:url(URL) 1;border-style:solid">x</div>', '<div style=\'color:red;}*{background:url(URL)\'>x</div>',
    '<div style="font-family:x;src:url(URL)">x</div>', '<div style="cursor:url(URL),auto">x</div>', '<div style="mask:url(URL)">x</div>', '<style>@font-face{font-family:q;src:url(URL)}</style><p style="font-family:q">x</p>', '<iframe src="URL"></iframe>',
    '<iframe srcdoc="<img src=URL>"></iframe>', '<object data="URL"></object>', '<embed src="URL">', '<video src="URL" autoplay></video>', '<video poster="URL"></video>', '<audio src="URL" autoplay></audio>', '<video><track default src="URL"></video>',
    '<input type=image src="URL">', '<svg><image href="URL" width=9 height=9 /></svg>', '<svg><use href="URL#a"/></svg>', '<svg><feImage xlink:href="URL"/></svg>', '<svg style="fill:url(URL#x)"><rect width=9 height=9 /></svg>', '<svg><style>@import "URL";</style></svg>',
    '<meta http-equiv=refresh content="0;url=URL">', '<base href="URL/"><img src=x>', '<frameset><frame src="URL"></frameset>', '<image src="URL">', '<bgsound src="URL">', '<portal src="URL"></portal>', '<template><img src=URL></template>',
    '<script type=speculationrules>{"prefetch":[{"urls":["URL"]}]}</script>', '<form id=f action=URL></form><script>f.submit()</script>', '<math><mglyph src="URL"/></math>', '<img src="cid:none" lowsrc="URL" dynsrc="URL" longdesc="URL">', '<blockquote cite="URL">x</blockquote>',
    '<html manifest="URL"><p>x', '<p style="background:-webkit-image-set(url(URL) 1x)">x</p>', '<p style="background:&#117;rl(URL)">x</p>', '<p style="background:url(&quot;URL&quot;)">x</p>',
  ],
  mutations: [
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x: onerror=JS&gt;">', '<svg></p><style><a id="</style><img src=x: onerror=JS>">', '<form><math><mtext></form><form><mglyph><style></math><img src=x: onerror=JS>',
    '<noscript><style></noscript><img src=x: onerror=JS>', '<textarea><p title="</textarea><img src=x: onerror=JS>">', '<title><p title="</title><img src=x: onerror=JS>">', '<style><p title="</style><img src=x: onerror=JS>">',
    '<xmp><p title="</xmp><img src=x: onerror=JS>">', '<iframe><p title="</iframe><img src=x: onerror=JS>">', '<noembed><p title="</noembed><img src=x: onerror=JS>">', '<noframes><p title="</noframes><img src=x: onerror=JS>">',
    '<template><p title="</template><img src=x: onerror=JS>">', '<plaintext><img src=x: onerror=JS>', '<!--><img src=x: onerror=JS>-->', '<!---><img src=x: onerror=JS>-->', '<!-- --!><img src=x: onerror=JS> -->', '<!-x><img src=x: onerror=JS>',
    '<?xml ?><img src=x: onerror=JS>', '<![CDATA[><img src=x: onerror=JS>]]>', '<svg><![CDATA[><img src=x: onerror=JS>]]></svg>', '<svg><title><![CDATA[</title><img src=x: onerror=JS>]]></svg>', '<svg><desc><img src=x: onerror=JS></desc></svg>',
    '<svg><foreignObject><img src=x: onerror=JS></foreignObject></svg>', '<math><annotation-xml encoding="text/html"><img src=x: onerror=JS></annotation-xml></math>', '<select><style></select><img src=x: onerror=JS></style>',
    '<select><option><img src=x: onerror=JS></select>', '<table><tr><td><svg><p><img src=x: onerror=JS></table>', '<xmp><svg><style></xmp><img src=x: onerror=JS></style>', '<svg><textarea><img src=x: onerror=JS></textarea></svg>',
    '<option>&lt;img src=x: onerror=JS&gt;</option>', '<p>&lt;img src=x: onerror=JS&gt;</p>', '<p>&amp;lt;img src=x: onerror=JS&amp;gt;</p>', '<textarea/>&lt;/textarea&gt;<img src=x: onerror=JS>', '<iframe><img src=x: onerror=JS></iframe>',
    '<listing>&lt;img src=x: onerror=JS&gt;</listing>', '<a><table><a href="javascript:JS">press', '<img alt="`><img src=x: onerror=JS>`">', '<p title="&quot;><img src=x: onerror=JS>">x</p>', "<p title='\"><img src=x: onerror=JS>'>x</p>",
    '<div title="--><img src=x: onerror=JS>">x</div>', '</p><img src=x: onerror=JS>', '</body></html><img src=x: onerror=JS>', '<svg><animate attributeName=href values="javascript:JS"/><a><text y=20>press</text></a></svg>',
    '<svg><set attributeName=onload to=JS /></svg>', '<svg><a><animate attributeName=href values="#x;javascript:JS" begin=0s /><text y=20>press</text></a></svg>', '+ADw-img src=x: onerror=JS+AD4-', '\u2028<img src=x: onerror=JS>', '<img\u00a0src=x: onerror=JS>',
    '<ımg src=x: onerror=JS>', '<\u0130MG SRC=x: ONERROR=JS>', '<svg><ſcript>JS</script></svg>', '<IMG SRC=x:\0 ONERROR\0=JS>', '<p id=body name=getElementById>clobber</p>', '<form name=body><input name=firstChild></form>',
  ],
};

export interface Vector {
  readonly name: string;
  readonly number: number;
  readonly html: string;
}

/** All of them, each calling `xss(number)` and asking for `${hits}/number`. */
export function vectors(hits: string): Vector[] {
  return Object.entries(CLASSES).flatMap(([name, list]) => list.map((html) => ({ name, html })))
    .map(({ name, html }, number) => ({ name: `${name}: ${html}`, number, html: html.replaceAll('JS', `xss(${number})`).replaceAll('URL', `${hits}/${number}`) }));
}
