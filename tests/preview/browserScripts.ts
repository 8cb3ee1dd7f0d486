/** What runs in the browser, as text: its types are not those of the rest. */

/** Does to everything in a page and in its frames what a person could do. */
export const TOUCH_ALL = `(() => {
  const events = ['mouseover', 'mouseenter', 'focus', 'focusin', 'submit', 'animationstart', 'toggle', 'error', 'load', 'pointerdown', 'keydown', 'start'];
  const touch = (top) => {
    for (const one of top.querySelectorAll('*')) {
      if (typeof one.focus === 'function') one.focus();
      // A click of the mouse alone opens a link.
      one.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
      for (const type of events) one.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }));
      if (one.localName === 'iframe' && one.contentDocument) touch(one.contentDocument);
    }
  };
  touch(document);
})()`;

/** Every name of an element below a selector, with the names of its attributes, as the browser has built them. */
export function builtBelow(selector: string): string {
  return `(() => {
    const seen = new Map();
    for (const one of document.querySelectorAll(${JSON.stringify(`${selector} *`)})) {
      const names = seen.get(one.localName) ?? new Set();
      for (const name of one.getAttributeNames()) names.add(name);
      seen.set(one.localName, names);
    }
    return [...seen].map(([tag, names]) => [tag, [...names]]);
  })()`;
}

/** Puts each fragment into a box of its own, as a script of a console would: that is parsed in another mode than a page. */
export function putIn(fragments: readonly string[], className: string): string {
  return `(() => {
    for (const innerHTML of ${JSON.stringify(fragments)}) document.body.appendChild(Object.assign(document.createElement('div'), { className: ${JSON.stringify(className)}, innerHTML }));
  })()`;
}
