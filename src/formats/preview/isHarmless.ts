import { ALLOWED_TAGS, isAllowedAttribute, SAFE_PICTURE, SAFE_VALUE } from './allowedHtml.ts';

const TAG = /<(\/?)([a-z][a-z0-9]*)((?: [a-z]+(?:="[^"<>]*")?)*)( \/)?>/y;
const ATTRIBUTE = / ([a-z]+)(?:="([^"<>]*)")?/g;
/** What a browser reads as a character of its own is only what a sanitiser escapes; so a value means what it looks like. */
const OTHER_ENTITY = /&(?!amp;|lt;|gt;|quot;)/;
const TAGS = new Set(ALLOWED_TAGS);

/**
 * Whether HTML is made of allowed tags with allowed attributes in their plainest form, and of text. Knows nothing of how it was made: what passes can be read in one way alone, since each '<' in it
 * begins an allowed tag that ends at the next '>', and none of the tags changes how a browser reads on.
 */
export function isHarmless(html: string): boolean {
  let at = 0;
  for (let open = html.indexOf('<'); open >= 0; open = html.indexOf('<', at)) {
    if (html.slice(at, open).includes('>')) return false;
    TAG.lastIndex = open;
    const [found, closing, name = '', attributes = ''] = TAG.exec(html) ?? [];
    if (found === undefined || !TAGS.has(name) || (closing === '/' && attributes !== '') || !areHarmless(name, attributes)) return false;
    at = open + found.length;
  }
  return !html.slice(at).includes('>');
}

function areHarmless(tag: string, attributes: string): boolean {
  const seen = new Set<string>();
  for (const [, name = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
    if (seen.has(name) || !isAllowedAttribute(tag, name) || OTHER_ENTITY.test(value)) return false;
    seen.add(name);
    if (name === 'src' && !SAFE_PICTURE.test(value)) return false;
    if (name === 'style' && !isHarmlessStyle(value)) return false;
  }
  return true;
}

function isHarmlessStyle(style: string): boolean {
  return style.replaceAll('&quot;', '"').split(';').every((declaration) => {
    const [property = '', ...rest] = declaration.split(':');
    return /^[a-z-]+$/.test(property) && rest.length === 1 && SAFE_VALUE.test(rest[0] ?? '');
  });
}
