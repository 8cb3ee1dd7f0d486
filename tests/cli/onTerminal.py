"""Runs a command on a terminal of its own. argv: JSON {"args": [...], "type": [[text to wait for, text to type], ...]}.

Prints JSON {"code": exit code, "screen": all that the terminal showed}.
"""
import json
import os
import pty
import select
import sys
import time

plan = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(plan['args'][0], plan['args'])
screen = b''
waiting = list(plan['type'])
end = time.monotonic() + 60
while time.monotonic() < end:
    if waiting and waiting[0][0].encode() in screen:
        os.write(terminal, waiting.pop(0)[1].encode())
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    screen += chunk
else:
    os.kill(pid, 9)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
json.dump({'code': code, 'screen': screen.decode('utf-8', 'replace')}, sys.stdout)
