"""The rows of the table: what is measured, how, and the bar that Cordon should stay below."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys

from process import LOAD_CPUS

TOO_NOISY = 0.2  # cores of foreign load or steal, above which a row is not to be trusted


@dataclasses.dataclass
class Row:
    key: str
    title: str
    unit: str
    bar: float | None  # for Cordon's own figure
    ratio_bar: float | None  # for Cordon's figure / that of the best peer
    mode: str = ""
    options: tuple = ()
    latency: bool = False
    shared: bool = False  # two threads on all cores, with the load among them
    digits: int = 2
    values: dict = dataclasses.field(default_factory=dict)  # server: figures of the rounds
    noise: list = dataclasses.field(default_factory=list)  # (foreign, steal) of each run

    def add(self, server, value, noise=None):
        self.values.setdefault(server, []).append(value)
        if noise:
            self.noise.append(noise)

    def median(self, server):
        return statistics.median(self.values[server]) if server in self.values else None

    def ratio(self, peers):
        best = [self.median(peer) for peer in peers if peer in self.values]
        own = self.median("cordon")
        return own / min(best) if best and own is not None else None

    def noises(self):
        return [statistics.median(column) for column in zip(*self.noise)] if self.noise else None


def make_rows():
    cost = "us/query"
    return {row.key: row for row in (
        Row("floor", "the system's part (an echo)", cost, None, None, "echo"),
        Row("refused", "refused", cost, 2.9, 0.75, "refused", ("-warm",)),
        Row("hit", "from the cache", cost, 3.0, 0.75, "hit", ("-warm",)),
        Row("chain", "from the cache, behind three CNAMEs", cost, 3.6, 0.85, "chain", ("-warm",)),
        Row("mixed", "80 % cache, 15 % refused, 5 % misses", cost, 4.3, 0.75, "mixed", ("-warm",)),
        Row("memory", "memory after that, without the cache", "MiB", 90, None, digits=0),
        Row("miss", "misses", cost, 10, 1.0, "miss"),
        Row("tcp", "from the cache, 20 TCP connections", cost, 5.7, 0.85, "hit", ("-warm", "-tcp", "20", "-outstanding", "6")),
        Row("latency", "the mix at 10,000 queries/s: p99", "us", None, 1.0, "mixed", ("-warm", "-rate", "10000"), latency=True, digits=0),
        Row("refused2", "refused, cores shared with the load", cost, None, 0.8, "refused", ("-warm",), shared=True),
        Row("hit2", "from the cache, cores shared", cost, None, 0.8, "hit", ("-warm",), shared=True),
        Row("mixed2", "the mix, cores shared", cost, None, 0.8, "mixed", ("-warm",), shared=True),
        Row("text", "first right answer after a start, names as text", "s", 1.0, None, digits=3),
        Row("compiled", "the same, names in compiled form", "s", 0.15, None, digits=3),
        Row("peak", "memory at the peak of a reload", "MiB", 150, None, digits=0),
    )}


class Load:
    """Runs of dnsload."""

    def __init__(self, binary, files, upstream, seconds):
        self.binary, self.files, self.upstream, self.seconds = binary, files, upstream, seconds
        self.faults = []

    def run(self, row, server):
        """The report of one run, or None if its figures mean nothing."""
        cpus = os.sched_getaffinity(0) if row.shared else LOAD_CPUS
        self.upstream.move(cpus)
        files = [text for option, value in self.files.items() for text in (option, str(value))]
        command = [self.binary, "-server", f"127.0.0.1:{server.port}", "-mode", row.mode, "-seconds", str(self.seconds), "-json",
                   "-pid", str(server.process.pid), "-upstream-pid", str(self.upstream.process.pid), *files, *row.options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=self.seconds + 120, env={**os.environ, "GOMAXPROCS": "1"},
                              preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        if done.returncode:
            self.faults.append(f"{server.name}, {row.title}: {done.stderr.strip()} {done.stdout.strip()[:400]}")
            return None
        return json.loads(done.stdout)

    def measure(self, row, server):
        """One more try for a run whose queries were lost to whatever else the machine did."""
        report = self.run(row, server)
        if not report:
            report = self.run(row, server)
            if report:
                print(f"tried again: {self.faults.pop()}", file=sys.stderr)
        if report:
            row.add(server.name, report["latency_us"]["p99"] if row.latency else report["server_cpu_us"],
                    (report["cores"]["foreign"], report["cores"]["steal"]))
