"""One question at a time, for what is checked before anything is timed."""

import random
import socket
import struct

NOERROR, NXDOMAIN = 0, 3
HEADER = 12


def ask(port, name, tcp=False, timeout=1):
    """The RCODE of the answer and the addresses in it, or None."""
    query = message(name, random.randrange(1 << 16))
    with socket.socket(type=socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        try:
            s.connect(("127.0.0.1", port))
            s.sendall(struct.pack(">H", len(query)) + query if tcp else query)
            answer = receive_frame(s) if tcp else s.recv(4096)
        except OSError:
            return None
    if len(answer) < len(query) or answer[:2] != query[:2] or answer[HEADER : len(query)] != query[HEADER:]:
        return None
    return answer[3] & 15, addresses(answer, len(query))


def message(name, number):
    return struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + question(name)


def question(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\1\0\1"


def receive_frame(s):
    found = b""
    while len(found) < 2 or len(found) < 2 + struct.unpack(">H", found[:2])[0]:
        more = s.recv(4096)
        if not more:
            return b""
        found += more
    return found[2:]


def addresses(answer, at):
    found = []
    for _ in range(struct.unpack(">H", answer[6:8])[0]):
        while 0 < answer[at] < 0xC0:
            at += answer[at] + 1
        at += 2 if answer[at] else 1
        rtype, _, _, length = struct.unpack(">HHIH", answer[at : at + 10])
        at += 10
        if rtype == 1:
            found.append(socket.inet_ntoa(answer[at : at + length]))
        at += length
    return found
