"""Starts moto's server on a free port, told in the file SANDBOX_PORT_FILE; it ends with the process that started it."""

import os
import shutil
import signal
import sys

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
partial = os.environ["SANDBOX_PORT_FILE"] + ".partial"
with open(partial, "w", encoding="ascii") as file:
    file.write(str(port))
os.rename(partial, os.environ["SANDBOX_PORT_FILE"])
sys.stdin.buffer.read()
shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
os.killpg(os.getpgrp(), signal.SIGKILL)
