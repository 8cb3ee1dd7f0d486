/**
 * The policy with which a preview has to be served: nothing runs, nothing is loaded but pictures that are in the page itself. What previews are made of is harmless without it, too: this is the second wall.
 * To be shown in a frame with an empty `sandbox` attribute.
 */
export const PREVIEW_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

/** Headers of an answer that is a preview. An attachment's own bytes are another answer: always as `content-disposition: attachment`, with these. */
export const PREVIEW_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': PREVIEW_POLICY, 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-dns-prefetch-control': 'off',
  'cross-origin-resource-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin', 'cache-control': 'private, no-store',
};

/** What a policy in a page itself may say. */
const IN_PAGE = PREVIEW_POLICY.split('; ').filter((part) => !/^(?:frame-ancestors|sandbox)/.test(part)).join('; ');

/** A whole page with the body of a preview, for a frame (also as its `srcdoc`). */
export function previewPage(html: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${IN_PAGE}"><meta name="referrer" content="no-referrer"><style>body{margin:12px;overflow-wrap:anywhere}img{max-width:100%}</style></head><body>${html}</body></html>`;
}
