/** Functions that are called like parsers and have no target of the fuzzer, as 'file name', and why. */
export const UNFED: Readonly<Record<string, string>> = {
  'src/connectors/folder/bytePath.ts decodeName': 'the platform decodes UTF-8, and gives U+FFFD for what is none',
  'src/connectors/folder/openSource.ts openSource': 'opens a directory',
  'src/connectors/imap/fetchRow.ts parseFetchRow': 'takes apart what the IMAP library has parsed already, piece by piece and each checked for its type',
  'src/connectors/imap/index.ts openSource': 'opens a connection',
  'src/connectors/imap/index.ts openTarget': 'opens a connection',
  'src/connectors/imap/mailboxCommands.ts openMailbox': 'opens a folder of a mailbox',
  'src/connectors/microsoft365/exchange/items/documents.ts readDocument': 'asks a service for a document; the platform parses JSON',
  'src/connectors/microsoft365/index.ts openSource': 'opens a connection',
  'src/connectors/microsoft365/index.ts openTarget': 'opens a connection',
  'src/connectors/microsoft365/signIn/clientAssertion.ts readCertificate': 'reads a file of the person who runs it; the platform parses PEM',
  'src/repository/checkRecords.ts readRemoved': 'reads removals and doomed records, which have targets of their own',
  'src/repository/contentReader.ts openListed': 'opens a file that is backed up',
  'src/repository/contentReader.ts readWhole': 'reads the bytes of a file that is backed up, and looks at none',
  'src/repository/copyDue.ts readDue': 'reads manifests, which have a target of their own',
  'src/repository/copyDue.ts readFlawed': 'reads manifests, which have a target of their own',
  'src/repository/strayPacks.ts readPackDirectory': 'gets the end of a pack for openTail and decodeDirectory, which are fed',
};
