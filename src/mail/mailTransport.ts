/** A mail as it goes out. */
export interface OutgoingMail {
  /** Stays the same when the mail is sent again: who gets it twice can tell. */
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
}

/** Hands mails over. */
export interface MailTransport {
  /**
   * Resolves once the other side has taken the mail. Errors: `mail/not-sent` (class retry), `mail/refused` (class input: trying again
   * does not help). Their messages name no person.
   */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}
