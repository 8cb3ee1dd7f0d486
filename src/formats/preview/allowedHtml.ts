/** Tags that a preview may have. None of them runs, loads, navigates, or makes a browser read on in another way (raw text, other namespaces). */
export const ALLOWED_TAGS: readonly string[] = [
  'a', 'abbr', 'address', 'article', 'aside', 'b', 'bdi', 'bdo', 'big', 'blockquote', 'br', 'caption', 'center', 'cite', 'code', 'col', 'colgroup', 'dd', 'del', 'dfn', 'div', 'dl', 'dt', 'em',
  'figcaption', 'figure', 'font', 'footer', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'header', 'hr', 'i', 'img', 'ins', 'kbd', 'li', 'main', 'mark', 'ol', 'p', 'pre', 'q', 's', 'samp', 'section',
  'small', 'span', 'strike', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'time', 'tr', 'tt', 'u', 'ul', 'var', 'wbr',
];

/** On every tag. No `id` and no `name`: a page would find them under these. No `class`: there is no sheet. */
const EVERYWHERE = ['align', 'bgcolor', 'dir', 'height', 'lang', 'style', 'title', 'valign', 'width'];
/** On a tag besides those. `src` is a picture in itself alone; an address of a link becomes its `title`. */
const ON_TAG: Readonly<Record<string, readonly string[]>> = {
  col: ['span'], colgroup: ['span'], font: ['color', 'face', 'size'], hr: ['color', 'noshade', 'size'], img: ['alt', 'border', 'src'], li: ['type', 'value'], ol: ['reversed', 'start', 'type'],
  table: ['border', 'bordercolor', 'cellpadding', 'cellspacing', 'rules'], td: ['colspan', 'nowrap', 'rowspan'], th: ['colspan', 'nowrap', 'rowspan', 'scope'], ul: ['type'],
};
export const ALLOWED_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = { '*': EVERYWHERE, ...ON_TAG };

/** Of style attributes: how text and boxes look, not where they lie on the page. */
export const ALLOWED_PROPERTIES: readonly string[] = [
  'background', 'background-color', 'border-collapse', 'border-radius', 'border-spacing', 'caption-side', 'clear', 'color', 'direction', 'display', 'empty-cells', 'float', 'font', 'font-family', 'font-size',
  'font-style', 'font-variant', 'font-weight', 'height', 'letter-spacing', 'line-height', 'list-style-type', 'max-height', 'max-width', 'min-height', 'min-width', 'overflow-wrap', 'table-layout', 'text-align',
  'text-decoration', 'text-indent', 'text-transform', 'vertical-align', 'white-space', 'width', 'word-break', 'word-spacing', 'word-wrap',
  ...['border', 'border-top', 'border-right', 'border-bottom', 'border-left'].flatMap((side) => [side, `${side}-color`, `${side}-style`, `${side}-width`]),
  ...['margin', 'padding'].flatMap((box) => [box, `${box}-top`, `${box}-right`, `${box}-bottom`, `${box}-left`]),
];

/** Words, numbers and colours: no function but these can be written, so no address, and no escape that would hide one. */
export const SAFE_VALUE = /^(?:[\w\s#.,%'"!+-]|\b(?:rgb|hsl)a?\([\d.,%\s/]{1,60}\)){1,500}$/i;

/** A picture within the page, of a kind that is pixels alone. */
export const SAFE_PICTURE = /^data:image\/(?:png|jpeg|gif|webp|bmp);base64,[A-Za-z0-9+/]+={0,2}$/;

export function isAllowedAttribute(tag: string, name: string): boolean {
  return EVERYWHERE.includes(name) || ON_TAG[tag]?.includes(name) === true;
}
