"""Prints what a mailbox holds as JSON, read with Python's own IMAP client: it shares nothing with the product.

python3 readMailbox.py HOST PORT USER PASSWORD
{"folders": {"name as the server spells it": {"flags": [...], "subscribed": bool, "messages": [[sha256, size, flags, internaldate], ...]}}}
"""
import hashlib
import imaplib
import json
import re
import sys

imaplib._MAXLINE = 100_000_000
NAME = re.compile(rb'^\((?P<flags>[^)]*)\) (?:"(?:\\.|[^"])*"|NIL) (?P<name>.*)$', re.S)


def listed(answer):
    """(flags, name) of each LIST or LSUB line; a name comes as an atom, quoted, or as a literal."""
    for line in answer:
        if line is None or line == b'':
            continue
        literal = isinstance(line, tuple)
        match = NAME.match(line[0] if literal else line)
        if match is None:
            raise SystemExit('cannot read the line %r' % (line,))
        name = line[1] if literal else match['name']
        if not literal and name.startswith(b'"'):
            name = re.sub(rb'\\(.)', rb'\1', name[1:-1])
        yield match['flags'].decode().split(), name


def quoted(name):
    return b'"' + name.replace(b'\\', b'\\\\').replace(b'"', b'\\"') + b'"'


def checked(answer):
    if answer[0] != 'OK':
        raise SystemExit('the server said %r' % (answer,))
    return answer[1]


def messages(client, name):
    checked(client.select(quoted(name).decode('latin1'), readonly=True))
    for part in checked(client.uid('FETCH', '1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')):
        if not isinstance(part, tuple):
            continue
        head, body = part
        flags = re.search(rb'FLAGS \(([^)]*)\)', head)[1].decode().split()
        date = re.search(rb'INTERNALDATE "([^"]*)"', head)[1].decode()
        yield [hashlib.sha256(body).hexdigest(), len(body), sorted(flag for flag in flags if flag != '\\Recent'), date]


def main(host, port, user, password):
    client = imaplib.IMAP4(host, int(port))
    client.login(user, password)
    subscribed = {name for _, name in listed(checked(client.lsub('""', '"*"')))}
    folders = {}
    for flags, name in listed(checked(client.list('""', '"*"'))):
        holds = not any(flag.lower() in ('\\noselect', '\\nonexistent') for flag in flags)
        folders[name.decode('latin1')] = {
            'flags': sorted(flags), 'subscribed': name in subscribed, 'messages': list(messages(client, name)) if holds else [],
        }
    client.logout()
    json.dump({'folders': folders}, sys.stdout)


main(*sys.argv[1:])
