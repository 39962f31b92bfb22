"""``segue`` in front: has it forked, hands signals on, and ends as it ended. ``python -I -S segue.py SOCKET ARGUMENT...``"""

import json
import os
import signal
import socket
import struct
import sys

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
NUMBER = struct.Struct("=i")


def main() -> int:
    """Where this process is killed its connection ends, and what was forked is killed too."""
    address, *arguments = sys.argv[1:]
    order = json.dumps({"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}).encode()  # noqa: PTH109 -- pathlib takes longer to load than all else
    with socket.socket(socket.AF_UNIX) as forking:
        forking.connect(address)
        socket.send_fds(forking, [NUMBER.pack(len(order))], [0, 1, 2])
        forking.sendall(order)
        for number in FORWARDED:
            signal.signal(number, lambda number, _: forking.send(bytes([number])))
        said = forking.recv(NUMBER.size, socket.MSG_WAITALL)
    code: int = NUMBER.unpack(said)[0]
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
