import { Parser } from 'htmlparser2';

/** What is between these tags is not for people. `head` is none of them: where it is not closed, all would be hidden. */
const HIDDEN = new Set(['script', 'style', 'title', 'template']);
/** A word goes on over these; every other tag ends it. */
const INLINE = new Set([
  'a', 'abbr', 'acronym', 'b', 'bdi', 'bdo', 'big', 'cite', 'code', 'del', 'dfn', 'em', 'font', 'i', 'ins', 'kbd', 'label', 'mark', 'q',
  's', 'samp', 'small', 'span', 'strike', 'strong', 'sub', 'sup', 'tt', 'u', 'var', 'wbr',
]);
/** Fed in pieces, so that a limit of the text also ends the reading. */
const PIECE = 64 * 1024;
/** The parser's time grows with the square of the depth. */
const DEEPEST = 2000;

/**
 * The words that a person sees in a page, at most `limit` characters: texts and what images are called, without tags, scripts and
 * styles. Never throws; whatever is no HTML is read as browsers would read it. What comes after tags nested absurdly deep is read with
 * its tags cut out.
 */
export function readHtmlText(html: string, limit: number): string {
  const parts: string[] = [];
  let length = 0;
  let hidden = 0;
  let depth = 0;
  const add = (text: string): void => {
    if (hidden > 0 || length >= limit) return;
    parts.push(text);
    length += text.length;
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      depth++;
      if (HIDDEN.has(name)) hidden++;
      if (!INLINE.has(name)) add('\n');
      const { alt } = attributes;
      if (alt !== undefined && alt !== '') add(`${alt} `);
    },
    onclosetag(name) {
      depth--;
      if (HIDDEN.has(name)) hidden = Math.max(0, hidden - 1);
      if (!INLINE.has(name)) add('\n');
    },
    ontext: add,
  }, { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true });
  for (let at = 0; at < html.length && length < limit; at += PIECE) {
    if (depth > DEEPEST) {
      hidden = 0;
      add(html.slice(at).replace(/<[^<>]*>/g, '\n'));
      break;
    }
    parser.write(html.slice(at, at + PIECE));
  }
  if (depth <= DEEPEST) parser.end();
  return parts.join('').slice(0, limit);
}
