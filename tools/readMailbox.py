"""Reads a whole mailbox with Python's imaplib, which shares no code with Holdfast, and prints it as JSON.

stdin: {"port": 143, "user": "...", "password": "..."}; the server is on 127.0.0.1, in clear text.
stdout: {"folders": ["wire name", ...], "mails": [{"folder", "flags", "date", "size", "sha256"}, ...]}, both sorted.
"""
import hashlib
import imaplib
import json
import re
import sys

imaplib._MAXLINE = 1 << 24
BATCH = 50


def folder_names(client):
    for line in client.list()[1]:
        if isinstance(line, tuple):
            # A name sent as a literal.
            yield line[1].decode('ascii'), b'\\Noselect' not in line[0]
            continue
        flags, name = re.fullmatch(rb'\(([^)]*)\) (?:"(?:\\.|[^"\\])*"|NIL) (.+)', line).groups()
        if name.startswith(b'"'):
            name = re.sub(rb'\\(.)', rb'\1', name[1:-1])
        yield name.decode('ascii'), b'\\Noselect' not in flags


def quoted(name):
    return '"' + name.replace('\\', '\\\\').replace('"', '\\"') + '"'


def mails_of(client, folder):
    count = int(client.select(quoted(folder), readonly=True)[1][0])
    for first in range(1, count + 1, BATCH):
        span = '%d:%d' % (first, min(count, first + BATCH - 1))
        for part in client.fetch(span, '(FLAGS INTERNALDATE BODY.PEEK[])')[1]:
            if not isinstance(part, tuple):
                continue
            head, body = part
            flags = re.search(rb'FLAGS \(([^)]*)\)', head).group(1).decode('ascii').split()
            yield {
                'folder': folder,
                # \Recent is the state of a session, not of a mail.
                'flags': sorted(flag for flag in flags if flag != '\\Recent'),
                'date': re.search(rb'INTERNALDATE "([^"]*)"', head).group(1).decode('ascii'),
                'size': len(body),
                'sha256': hashlib.sha256(body).hexdigest(),
            }


def main():
    where = json.load(sys.stdin)
    client = imaplib.IMAP4('127.0.0.1', where['port'], timeout=60)
    client.login(where['user'], where['password'])
    folders = sorted(folder_names(client))
    mails = [mail for name, selectable in folders if selectable for mail in mails_of(client, name)]
    client.logout()
    mails.sort(key=lambda mail: json.dumps(mail, sort_keys=True))
    json.dump({'folders': [name for name, _ in folders], 'mails': mails}, sys.stdout)


main()
