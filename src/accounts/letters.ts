import type { Letter } from '../mail/index.ts';

// What the service writes to people. Each letter says what happened, what to do, and what if it was somebody else.

const NOT_YOU = 'If you did not ask for this, do nothing.';
const A_DAY = 'The link holds for 24 hours.';

/** To who signed up. */
export function activationLetter(name: string, url: string): Letter {
  return {
    subject: 'Confirm your e-mail address', name, button: { label: 'Confirm this address', url },
    paragraphs: ['You made an account with Holdfast. It works once you have confirmed that this address is yours.'], notes: [A_DAY, NOT_YOU],
  };
}

/** To who was added to an account by somebody else. */
export function invitationLetter(name: string, company: string, url: string): Letter {
  return {
    subject: 'You were added to Holdfast', name, button: { label: 'Confirm this address', url },
    paragraphs: [
      `An administrator of ${plain(company)} added you to their backups with Holdfast.`,
      'Confirm that this address is yours, then sign in with the password that you were told, or ask for a new one on the sign-in page.',
    ],
    notes: [A_DAY, 'If you do not know who this could be, do nothing.'],
  };
}

/** To who forgot the password. */
export function resetLetter(name: string, url: string): Letter {
  return {
    subject: 'Set a new password', name, button: { label: 'Set a new password', url },
    paragraphs: ['Somebody asked to set a new password for your user of Holdfast.'],
    notes: ['The link holds for 24 hours and works once.', 'If it was not you, do nothing: your password stays as it is.'],
  };
}

/** To an address that has a user, when somebody wants it for a new one. */
export function takenLetter(url: string): Letter {
  return {
    subject: 'You have a user of Holdfast already', button: { label: 'Sign in', url },
    paragraphs: ['Somebody wanted to use this address with Holdfast, but it has a user already. Sign in, or ask for a new password on the sign-in page.'], notes: [NOT_YOU],
  };
}

/** To the new address. */
export function emailChangeLetter(name: string, url: string): Letter {
  return {
    subject: 'Confirm your new e-mail address', name, button: { label: 'Use this address', url },
    paragraphs: ['This shall be the e-mail address that you sign in to Holdfast with. Until you confirm it the old one stays.'], notes: [A_DAY, NOT_YOU],
  };
}

/** To the old address. */
export function emailChangedLetter(name: string, email: string): Letter {
  return notice('Your e-mail address was changed', name, `You sign in to Holdfast with the address ${email} from now on.`);
}

/** After a change or a reset. */
export function passwordChangedLetter(name: string): Letter {
  return notice('Your password was changed', name, 'The password of your user of Holdfast was changed. Everywhere else you were signed out.');
}

/** When the second factor comes or goes. */
export function secondFactorLetter(name: string, what: 'on' | 'off' | 'reset' | 'recovery'): Letter {
  const said = {
    on: ['Two-factor sign-in is on', 'From now on Holdfast asks for a code of your authenticator app when you sign in.'],
    off: ['Two-factor sign-in is off', 'Holdfast asks for no code any more when you sign in.'],
    reset: ['Two-factor sign-in was taken off', 'An administrator of your account took off your second factor, so that you can set it up anew.'],
    recovery: ['A recovery code was used', 'Somebody signed in to Holdfast as you with one of your recovery codes. It does not work again.'],
  }[what] as [string, string];
  return notice(said[0], name, said[1]);
}

/** To the support: what a user asks. Answers go to the user's address. */
export function ticketLetter({ id, subject }: { readonly id: string; readonly subject: string }, from: { readonly name: string; readonly email: string; readonly accountId: string }, text: string): Letter {
  return {
    subject: `Ticket ${id.slice(-8)}: ${subject}`, paragraphs: text.split(/\n\s*\n/),
    notes: [`From ${from.name} <${from.email}>, account ${from.accountId}. Ticket ${id}. Answer to their address.`],
  };
}

/** To the user and all who administer the account. */
export function operatorResetLetter(name: string, email: string): Letter {
  return {
    subject: 'A second factor was taken off', name,
    paragraphs: [`Who runs this Holdfast took off the second factor of ${email}, as was asked because it was lost. Its sessions were ended; the password is as it was. Set up a second factor again after signing in.`],
    notes: ['If nobody of you asked for this, set a new password now and tell who runs this Holdfast.'],
  };
}

/** To who asked for it. */
export function usageLetter(name: string, url: string): Letter {
  return {
    subject: 'Your usage report', name, button: { label: 'Download the report', url },
    paragraphs: ['The report that you asked for lists all that your account can back up with Holdfast: the service, whether it is active, its licence and its size. It is a CSV file, made when you open it.'],
    notes: ['Sign in to Holdfast first: the link opens nothing for others.', NOT_YOU],
  };
}

/** To the owner: `until` is when all is gone. */
export function terminatedLetter(name: string, company: string, until: Date, url: string): Letter {
  return {
    subject: 'Your account was terminated', name, button: { label: 'Sign in', url },
    paragraphs: [
      `The Holdfast account of ${plain(company)} was terminated. Backups have stopped.`,
      `On ${day(until)} the account and everything in it is deleted for good. Until then you can take this back: sign in and choose Reactivate.`,
    ],
  };
}

/** To the owner, who took it back. */
export function reactivatedLetter(name: string, company: string): Letter {
  return notice('Your account is active again', name, `The Holdfast account of ${plain(company)} is active again. Nothing was deleted.`);
}

/** The last one. */
export function goneLetter(name: string): Letter {
  return { subject: 'Your account is deleted', name, paragraphs: ['Your Holdfast account and everything in it is deleted, as it was asked for seven days ago.'] };
}

function notice(subject: string, name: string, what: string): Letter {
  return { subject, name, paragraphs: [what], notes: ['If it was not you, ask for a new password on the sign-in page now, and tell an administrator of your account.'] };
}

function day(date: Date): string {
  return `${date.toISOString().slice(0, 10)} at ${date.toISOString().slice(11, 16)} UTC`;
}

/** What somebody typed, without what mail programs make a link of. */
function plain(text: string): string {
  return text.replaceAll(/[:/]+/g, ' ').replaceAll(/\.(?=[\p{L}\p{N}])/gu, ' ');
}
