import sanitize, { type Attributes, type IOptions, type Tag } from 'sanitize-html';
import { readHtmlText } from '../htmlText.ts';
import { ALLOWED_ATTRIBUTES, ALLOWED_PROPERTIES, ALLOWED_TAGS, SAFE_PICTURE, SAFE_VALUE } from './allowedHtml.ts';
import { isHarmless } from './isHarmless.ts';
import { RemotePictures } from './remotePictures.ts';

export interface SafeHtmlOptions {
  /** The picture behind an address such as 'cid:…', as a data: address; undefined where there is none to be shown. */
  readonly picture?: (address: string) => string | undefined;
}

export interface SafeHtml {
  readonly html: string;
  readonly remotePictures: number;
  /** It was longer than is shown, or could not be shown as it is formatted. */
  readonly cut: boolean;
}

/** Characters of HTML that are looked at, and that come out of it without pictures. */
const MOST_HTML = 2 * 1024 * 1024;
/** Pages that people write are not nested so deep; browsers build no deeper trees either (512 levels). */
const DEEPEST = 256;
const MOST_TITLE = 2000;
/** What is between these is not for people, or is read by browsers in another way than the rest. */
const HIDDEN = [
  'script', 'style', 'title', 'textarea', 'option', 'select', 'datalist', 'xmp', 'iframe', 'frameset', 'noembed', 'noframes', 'noscript', 'plaintext', 'template', 'audio', 'video', 'canvas',
];

const OPTIONS: IOptions = {
  allowedTags: [...ALLOWED_TAGS], nonTextTags: HIDDEN, disallowedTagsMode: 'discard', nestingLimit: DEEPEST, allowedSchemes: [], allowedSchemesByTag: { img: ['data'] }, allowProtocolRelative: false,
  allowedAttributes: Object.fromEntries(Object.entries(ALLOWED_ATTRIBUTES).map(([tag, names]) => [tag, [...names]])),
  allowedStyles: { '*': Object.fromEntries(ALLOWED_PROPERTIES.map((property) => [property, [SAFE_VALUE]])) },
};

/**
 * A fragment that shows what foreign HTML shows, and does nothing: no scripts, no handlers, no forms, nothing from elsewhere. Links are not links any more; their address is the title of their text.
 * A library takes out what is not allowed, and what comes out is checked by a reader of its own; what does not pass is shown as plain text.
 */
export function safeHtml(foreign: string, { picture }: SafeHtmlOptions = {}): SafeHtml {
  const html = withoutControls(foreign.slice(0, MOST_HTML));
  const remote = new RemotePictures(html);
  const transform = (tagName: string, attributes: Attributes): Tag => ({ tagName, attribs: attributesOf(tagName, attributes, picture) });
  const safe = sanitize(html, { ...OPTIONS, onOpenTag: (tag, attributes) => remote.look(tag, attributes), transformTags: { '*': transform } });
  const [remotePictures, cut] = [remote.count, foreign.length > MOST_HTML];
  return isHarmless(safe) ? { html: safe, remotePictures, cut } : { html: safeText(readHtmlText(html, MOST_HTML)), remotePictures, cut: true };
}

/** Text as it stands, its line ends kept. Links in it stay text. */
export function safeText(text: string): string {
  const escaped = withoutControls(text.slice(0, MOST_HTML)).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.trim() === '' ? '' : `<div style="white-space:pre-wrap">${escaped}</div>`;
}

function attributesOf(tag: string, attributes: Attributes, picture: SafeHtmlOptions['picture']): Attributes {
  if (tag === 'a') return attributes['href'] === undefined ? attributes : { ...attributes, title: attributes['href'].trim().slice(0, MOST_TITLE) };
  if (tag !== 'img') return attributes;
  const { src, ...others } = attributes;
  const shown = src === undefined ? undefined : picture?.(src.trim());
  if (shown !== undefined && SAFE_PICTURE.test(shown)) return { ...others, src: shown };
  // Its text stands in its place, as wide as that is.
  return { alt: attributes['alt'] ?? '' };
}

/** Control characters have no meaning in HTML but to hide something. Half of a surrogate pair is none that can be sent. */
function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  return text.toWellFormed().replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '');
}
