/** Fact 55: an address to which items of one mailbox are posted, without signing in. */
export interface ImportSession {
  readonly id: string;
  readonly appId: string;
  readonly userId: string;
  readonly expires: number;
}
