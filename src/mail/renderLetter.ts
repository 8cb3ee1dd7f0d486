/** What a letter says, whichever way it is shown. */
export interface Letter {
  readonly subject: string;
  /** Whom it greets. What does not look like a name is left out: it was typed by whoever asked for the mail. */
  readonly name?: string;
  /** Before the button. */
  readonly paragraphs: readonly string[];
  readonly button?: { readonly label: string; readonly url: string };
  /** After the button, smaller: for how long it holds, what to do if it was somebody else. */
  readonly notes?: readonly string[];
}

/** A letter as a mail has it. */
export interface RenderedLetter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const WIDTH = 76;
const FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** As plain text and as HTML. Both say all of it. */
export function renderLetter(letter: Letter): RenderedLetter {
  return { subject: letter.subject, text: textOf(letter), html: htmlOf(letter) };
}

function textOf({ paragraphs, button, notes = [], ...letter }: Letter): string {
  const parts = [greeting(letter.name), ...paragraphs].map(wrap);
  if (button !== undefined) parts.push(`${button.label}:\n${button.url}`);
  return `${[...parts, ...notes.map(wrap), '-- \nHoldfast'].join('\n\n')}\n`;
}

/** Every value is escaped. Nothing is loaded from anywhere: a mail that loads something tells that it was opened. */
function htmlOf({ subject, paragraphs, button, notes = [], name }: Letter): string {
  const paragraph = (text: string, style: string): string => `<p style="margin:0 0 16px;${style}">${escape(text)}</p>`;
  const lines = [greeting(name), ...paragraphs].map((text) => paragraph(text, 'font-size:16px;line-height:24px'));
  if (button !== undefined) lines.push(buttonOf(button));
  lines.push(...notes.map((text) => paragraph(text, 'font-size:14px;line-height:20px;color:#52606d')));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(subject)}</title></head>
<body style="margin:0;padding:24px 12px;background:#f4f6f8;color:#1f2933;font-family:${FONT}">
<div style="max-width:544px;margin:0 auto;padding:32px;background:#ffffff;border:1px solid #d9dfe5;border-radius:8px">
<h1 style="margin:0 0 24px;font-size:20px;line-height:28px">${escape(subject)}</h1>
${lines.join('\n')}
<p style="margin:24px 0 0;font-size:14px;color:#52606d">Holdfast</p>
</div>
</body>
</html>
`;
}

/** The address stands below in full: who reads it knows where it leads. */
function buttonOf({ label, url }: { readonly label: string; readonly url: string }): string {
  const to = escape(url);
  return `<p style="margin:0 0 16px"><a href="${to}" style="display:inline-block;padding:12px 20px;background:#0b5cad;color:#ffffff;border-radius:6px;font-size:16px;text-decoration:none">${escape(label)}</a></p>
<p style="margin:0 0 16px;font-size:14px;line-height:20px;color:#52606d">If the button does nothing, open this address:<br><a href="${to}" style="color:#0b5cad;word-break:break-all">${to}</a></p>`;
}

/** Letters, marks, and what stands within names. A dot with a letter after it may be an address: programs make links of those. */
const LIKE_A_NAME = /^[\p{L}\p{M}\p{N} ,.'’()&-]{1,60}$/u;

function greeting(name: string | undefined): string {
  return name !== undefined && LIKE_A_NAME.test(name) && !/\.[\p{L}\p{N}]/u.test(name) ? `Hello ${name},` : 'Hello,';
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
