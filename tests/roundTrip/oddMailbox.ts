import type { TestMailbox } from '../servers/testMailbox.ts';
import type { NastyMail } from './nastyMails.ts';

/** Names as they go over the wire (modified UTF-7), for a server whose separator is '/' and which keeps folders in directories. */
export const ODD_FOLDERS: readonly string[] = [
  'Work', 'Work/2024', 'Work/2024/January', 'Work/2024/January/Deeper/And deeper',
  'Ghost/Child', 'Ghosts/Of/Ghosts/Leaf',
  '&2D3cqA- Caf&AOk-', 'Entw&APw-rfe/&2Dzf6tg83+g-', 'R&- D', '&ZeVnLIqe-', 'e&AwE- and &AOk-',
  ' leading', 'trailing ', ' ', 'two  spaces', '"quoted"', 'a \\"quote', 'back\\\\slash', "it's", '(round) [square] {curly}',
  'ends with dots...', '.hidden', 'dot.in.the middle', 'tilde~', '~tilde', 'semi;colon, comma', '#hash', '$dollar', '%percent', 'star*', 'a+b=c',
  'UPPER', 'upper', 'INBOX/Below', 'Drafts/Old', `long ${'n'.repeat(150)}`, '-dash', '@at', 'pipe|', '<angle>', 'NIL', '1',
];

const FLAGS: readonly string[] = [
  '', '\\Seen', '\\Seen \\Answered', '\\Flagged $Label1', '\\Draft', '\\Deleted \\Seen', 'NonJunk $Forwarded \\Seen', '$MDNSent',
  '\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work keyword-with.dots',
];

const DATES: readonly (string | undefined)[] = [
  '17-Jul-1996 02:44:25 -0700', '29-Feb-2024 23:59:59 +1400', '01-Jan-1990 00:00:00 +0000', '31-Dec-2037 12:00:00 -1200', ' 5-Mar-2021 05:06:07 +0545',
];

/** Makes what folders the server takes, and gives their names; one that refuses a name must not hide that it refuses all. */
export async function makeOddFolders(mailbox: TestMailbox): Promise<string[]> {
  const made = ['INBOX'];
  for (const folder of ODD_FOLDERS) {
    try {
      await mailbox.create(folder);
      made.push(folder);
    } catch (error) {
      if (!String(error).includes(' NO ')) throw error;
    }
  }
  await mailbox.send('SUBSCRIBE "Work/2024"');
  return made;
}

/** Spreads the mails over the folders, with flags and dates in turn. */
export async function fillFolders(mailbox: TestMailbox, folders: readonly string[], mails: readonly NastyMail[]): Promise<void> {
  for (const [i, { bytes }] of mails.entries()) {
    const date = DATES[i % DATES.length];
    await mailbox.save(folders[i % folders.length] ?? 'INBOX', bytes, { flags: FLAGS[i % FLAGS.length] ?? '', ...(date === undefined ? {} : { date }) });
  }
}
