import type { Dice } from './dice.ts';

const TOPICS = ['Quarterly numbers', 'Offer for the new line', 'Delivery to Hamburg', 'Contract renewal', 'Website launch', 'Invoice 2026-%n', 'Room for the workshop',
  'Interview with the candidate', 'Travel to Lisbon', 'Security training', 'Minutes of Monday', 'Release %n', 'Complaint of a customer', 'Budget for next year',
  'Café für das Sommerfest', 'Übergabe der Unterlagen', '見積もりの件', 'Réunion de projet', 'Price list', 'Change request %n'];
const SENTENCES = ['Please find the figures attached.', 'Could you have a look before Thursday?', 'The supplier confirmed the date this morning.',
  'I moved the meeting, since two of us are travelling.', 'We should agree on the wording first.', 'Numbers are up by a tenth against last year.',
  'Legal has no objections.', 'The second page still has the old address.', 'Let us talk about it tomorrow.', 'Bitte prüfe noch die Anlage – danke!',
  'The customer asks for a discount of five per cent.', 'I will be out of the office until Wednesday.', 'Merci pour votre réponse rapide.', 'All open points are in the list below.',
  'Nobody has touched the shared folder since March.', 'This is the version that we sent to the board.', '納期は来週の予定です。', 'The train leaves at 7:42 from platform 9.'];
const CATEGORIES = ['Blue category', 'Red category', 'Customer', 'Follow up', 'Travel'];

export function subjectOf(dice: Dice): string {
  return dice.pick(TOPICS).replace('%n', String(100 + dice.int(900)));
}

export function paragraph(dice: Dice, sentences: number): string {
  return Array.from({ length: sentences }, () => dice.pick(SENTENCES)).join(' ');
}

export function htmlBody(dice: Dice, greeting: string, signature: string): string {
  const paragraphs = Array.from({ length: 1 + dice.int(4) }, () => `<p>${paragraph(dice, 1 + dice.int(4))}</p>`).join('\r\n');
  return `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>\r\n<p>Hello ${greeting},</p>\r\n${paragraphs}\r\n`
    + `<p>Best regards<br>${signature}</p>\r\n</body></html>`;
}

export function categoriesOf(dice: Dice): string[] {
  return dice.chance(0.1) ? [dice.pick(CATEGORIES)] : [];
}

/** The text of a body in HTML, as bodies in plain text and previews have it. */
export function textOfHtml(html: string): string {
  return html.replace(/<head>.*?<\/head>/gs, '').replace(/<br\s*\/?>|<\/p>/gi, '\r\n').replace(/<[^>]+>/g, '').replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').replace(/(\r?\n\s*){2,}/g, '\r\n').trim();
}
