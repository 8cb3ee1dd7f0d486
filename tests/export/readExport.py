"""Reads mails of an export with Python's own readers; prints a JSON line for each: file, size, sha256, subject.

readExport.py mbox FILE...   each mail of each mbox, unquoted
readExport.py eml FILE...    each file
readExport.py zip FILE...    each file of each ZIP, in pieces and without its subject
"""
import email
import email.policy
import hashlib
import json
import mailbox
import re
import sys
import zipfile


def told(path, raw, **more):
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    subject = message.get("Subject")
    print(json.dumps({"file": path, "size": len(raw), "sha256": hashlib.sha256(raw).hexdigest(),
                      "subject": None if subject is None else str(subject), **more}))


def read_mbox(path):
    box = mailbox.mbox(path, create=False)
    for key in box.keys():
        raw = re.sub(rb"(?m)^>(>*From )", rb"\1", box.get_bytes(key))
        told(path, raw, line=box.get_message(key).get_from(), cut=hashlib.sha256(raw[:-1]).hexdigest())
    box.close()


def read_eml(path):
    with open(path, "rb") as file:
        told(path, file.read())


def read_zip(path):
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            digest = hashlib.sha256()
            with archive.open(entry) as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
            print(json.dumps({"file": entry.filename, "size": entry.file_size, "sha256": digest.hexdigest()}))


for path in sys.argv[2:]:
    {"mbox": read_mbox, "eml": read_eml, "zip": read_zip}[sys.argv[1]](path)
