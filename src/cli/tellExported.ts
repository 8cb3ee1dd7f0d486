import type { ExportFormat, ExportIssue, ExportPart, ExportReport, LeftOut } from '../recovery/index.ts';
import type { Manifest } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { bytesText, countText, durationText, plural } from './formatText.ts';

/** What an export answers; see docs/guides/command-line.md. Fields are only ever added. */
interface ExportDocument {
  readonly snapshot: string;
  readonly format: ExportFormat;
  readonly location: string;
  readonly items: number;
  readonly missing: number;
  readonly leftOut: readonly LeftOut[];
  readonly folders: number;
  readonly bytes: number;
  readonly files: number;
  readonly fileBytes: number;
  readonly parts: readonly ExportPart[];
  readonly issues: readonly ExportIssue[];
}

interface Exported {
  readonly manifest: Manifest;
  readonly format: ExportFormat;
  readonly location: string;
  readonly report: ExportReport;
  readonly tookMs: number;
}

export async function tellExported({ out }: CommandContext, { manifest, format, location, report, tookMs }: Exported): Promise<ExitCode> {
  const { items, missing, leftOut, folders, bytes, files, fileBytes, parts, issues } = report;
  await out.document({
    snapshot: manifest.id, format, location, items, missing, leftOut, folders, bytes, files, fileBytes, parts, issues,
  } satisfies ExportDocument);
  await out.line(`Exported snapshot ${manifest.id} to ${location}`);
  await out.line(`  ${plural(items, 'item')} in ${plural(folders, 'folder')}, ${bytesText(bytes)}${missing > 0 ? `; ${countText(missing)} MISSING` : ''}`);
  await out.line(`  ${plural(files, 'file')} of ${bytesText(fileBytes)}, and manifest.jsonl, in ${durationText(tookMs)}`);
  for (const { kind, items: count, message } of leftOut) await out.line(`  left out: ${countText(count)} × ${kind}. ${message}`);
  // What a hold keeps is left out unless asked for; what the format does not hold was asked for.
  return missing > 0 || issues.length > 0 || leftOut.some(({ code }) => code === 'export/other-kind') ? EXIT.warnings : EXIT.done;
}
