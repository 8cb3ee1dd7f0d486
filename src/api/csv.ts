/** One line of RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map((field) => `"${(/^[=+\-@\t\r\n]/.test(field) ? `'${field}` : field).replaceAll('"', '""')}"`).join(',')}\r\n`;
}

/** A CSV file that is sent while its rows are read. The first batch is asked for before the answer begins, so that what fails at once is a refusal in words. */
export async function csvResponse<Row>(name: string, head: readonly string[], batches: AsyncGenerator<readonly Row[], void, void>, cellsOf: (row: Row) => readonly string[]): Promise<Response> {
  const first = await batches.next();
  const body = ReadableStream.from(encoded(head, first.done === true ? [] : first.value, batches, cellsOf));
  return new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, { headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': `attachment; filename="${name}"` } });
}

async function* encoded<Row>(
  head: readonly string[], first: readonly Row[], rest: AsyncGenerator<readonly Row[], void, void>, cellsOf: (row: Row) => readonly string[],
): AsyncGenerator<Uint8Array, void, void> {
  const encoder = new TextEncoder();
  const text = (rows: readonly Row[]): string => rows.map((row) => csvLine(cellsOf(row))).join('');
  yield encoder.encode(csvLine(head) + text(first));
  for await (const batch of rest) if (batch.length > 0) yield encoder.encode(text(batch));
}
