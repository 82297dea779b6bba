"""Cordon alone: how long its list takes from a start, and what queries notice while it is read anew."""

import select
import socket
import statistics
import struct
import threading
import time

import names
import servers
from ask import NOERROR, NXDOMAIN, ask, message
from process import ALL_CPUS, RUN_CPUS


def reload(o, scratch, crowd, cordon):
    listed = names.listed(o.names)
    upstream = servers.start_upstream(crowd, scratch)
    kind = servers.Cordon(scratch, listed, cordon)
    starts = {"text": [], "compiled": []}
    for _ in range(o.runs):
        for form, times in starts.items():
            server = servers.start(crowd, scratch, kind, "cordon", upstream, listed[-1], RUN_CPUS, form == "text")
            times.append(server.ready_after)
            crowd.end(server)
    for form, times in starts.items():
        print(f"first right answer after a start with {len(listed):,} names as {form:8}: "
              f"{statistics.median(times):.3f} s ({min(times):.3f}-{max(times):.3f})", flush=True)
    server = servers.start(crowd, scratch, kind, "cordon", upstream, listed[-1], ALL_CPUS)
    print(f"memory after the start: {server.memory():.0f} MiB")
    return probe(o, kind, server, listed)


def probe(o, kind, server, listed):
    asked = [(name, NXDOMAIN) for name in listed[:500]] + [(names.warm(i), NOERROR) for i in range(500)]
    Probe(server.port, asked).run(2)
    quiet, loud, took, lost, wrong = [], [], [], 0, 0
    for round_ in range(o.runs):
        still = Probe(server.port, asked)
        still.run(10)
        fresh = [f"fresh{round_}n{i}.example.org" for i in range(1500)]
        new = kind.list.with_name("new")  # written before: the probe must not wait for its own process
        new.write_text("".join(name + "\n" for name in listed + fresh))
        busy = Probe(server.port, asked, lambda new=new: new.rename(kind.list), fresh[-1])
        busy.run(10)
        quiet.append(still.late(99.9))
        loud.append(busy.late(99.9))
        took.append(busy.in_force)
        lost += still.lost + busy.lost
        wrong += still.wrong + busy.wrong
    print(f"1,000 q/s, p99.9 in ms, median of {o.runs}: quiet {statistics.median(quiet):.2f} ({min(quiet):.2f}-{max(quiet):.2f}), "
          f"while the list is read {statistics.median(loud):.2f} ({min(loud):.2f}-{max(loud):.2f}); lost {lost}, wrong {wrong}")
    print(f"from the write to the rule: {statistics.median(took):.2f} s ({min(took):.2f}-{max(took):.2f}); "
          f"memory after {o.runs} reloads: {server.memory():.0f} MiB, at most {server.memory('VmHWM'):.0f} MiB")
    return 1 if lost or wrong else 0


class Probe:
    """1,000 queries a second, one after the other every millisecond, whatever becomes of those before."""

    def __init__(self, port, asked, event=None, awaited=None):
        self.port, self.asked, self.event, self.awaited = port, asked, event, awaited
        self.times, self.lost, self.wrong, self.in_force = [], 0, 0, None

    def run(self, seconds):
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            s.setblocking(False)
            self.sent = {}
            begin = time.monotonic()
            event = threading.Thread(target=self.happen, args=(begin + 1,)) if self.event else None
            if event:
                event.start()
            for i in range(seconds * 1000):
                name, rcode = self.asked[i % len(self.asked)]
                while (now := time.monotonic()) < begin + i / 1000:
                    self.hear(s, begin + i / 1000 - now)
                self.sent[i & 0xFFFF] = (time.monotonic(), rcode)
                s.send(message(name, i & 0xFFFF))
            end = time.monotonic() + 2
            while self.sent and time.monotonic() < end:
                self.hear(s, 0.01)
            self.lost = len(self.sent)
            if event:
                event.join()

    def hear(self, s, wait):
        if not select.select([s], [], [], wait)[0]:
            return
        answer, now = s.recv(4096), time.monotonic()
        sent, rcode = self.sent.pop(struct.unpack(">H", answer[:2])[0], (None, None))
        if sent is not None:
            self.times.append((now - sent) * 1000)
            self.wrong += answer[3] & 15 != rcode

    def happen(self, at):
        time.sleep(max(0, at - time.monotonic()))
        self.event()
        wrote = time.monotonic()
        refusal = (NXDOMAIN, [])
        while time.monotonic() < wrote + 30:
            if ask(self.port, self.awaited) == refusal and ask(self.port, self.awaited) == refusal:
                break
            time.sleep(0.02)
        self.in_force = time.monotonic() - wrote

    def late(self, percent):
        return sorted(self.times)[int(len(self.times) * percent / 100)]
