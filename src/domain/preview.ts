/**
 * What a browser shows of an item. Nothing in it runs, and nothing of it is loaded from anywhere: `html` is made of an allowed list of tags, and pictures are in it. All else is plain text, to be
 * shown as text.
 */
export interface Preview {
  readonly form: 'mail' | 'card' | 'file';
  /** Subject, name, title; '' where it has none. */
  readonly title: string;
  /** In the order in which people read them; those that are empty are left out. */
  readonly fields: readonly PreviewField[];
  readonly body?: PreviewBody;
  /** A photo, or the picture that the item is: a data: address. */
  readonly picture?: string;
  readonly parts: readonly PreviewPart[];
  readonly remarks: readonly PreviewRemark[];
}

export interface PreviewField {
  /** A stable word by which a console finds the title: 'from', 'due', 'recurrence' … */
  readonly label: string;
  readonly values: readonly PreviewValue[];
}

/**
 * `person`: one of name and address may be ''; `answer` is what was replied to an invitation. `time`: as ISO 8601 in UTC, with the IANA zone that it was made in where that
 * is known, and what the clocks show there. `day`: without a time, as 2026-03-09. `term`: a stable word that a console finds a text by.
 */
export type PreviewValue =
  | { readonly type: 'text' | 'term' | 'day'; readonly text: string }
  | { readonly type: 'person'; readonly name: string; readonly address: string; readonly answer?: string }
  | { readonly type: 'time'; readonly time: string; readonly zone?: string; readonly local?: string };

export interface PreviewBody {
  /** A fragment of HTML. To be shown with the policy of `previewPage` all the same. */
  readonly html: string;
  /** Pictures that somebody's server would have to give; each address counts once. */
  readonly remotePictures: number;
}

/** Something that an item carries and that can be had by itself. */
export interface PreviewPart {
  /** Of this part in this content: '2', or '2.1' in a mail that is the second part. */
  readonly id: string;
  readonly name: string;
  /** As the item says it, lower case; '' where it says nothing. */
  readonly type: string;
  /** undefined where nobody can tell. */
  readonly size?: number;
  /** Shown in the body, or meant to be. */
  readonly inline: boolean;
  /** Of a mail in a mail, one level down. */
  readonly preview?: Preview;
}

/** What a person should know of what is shown. */
export interface PreviewRemark {
  /** Stable, e.g. 'remote-pictures', 'cut'. */
  readonly code: string;
  readonly message: string;
}

/** What a connector makes of a document of its service; its texts are foreign still. Not yet fit to be shown. */
export interface PreviewCard {
  readonly title: string;
  readonly fields: readonly PreviewField[];
  readonly body?: { readonly html: boolean; readonly text: string };
  /** Of a photo: base64. */
  readonly picture?: string;
  readonly parts: readonly PreviewCardPart[];
  readonly remarks: readonly PreviewRemark[];
}

export interface PreviewCardPart {
  readonly name: string;
  readonly type: string;
  readonly size?: number;
  readonly inline: boolean;
  /** Without angle brackets; '' where it has none. */
  readonly contentId: string;
  /** In base64; undefined where it has none. */
  readonly bytes?: string;
}
