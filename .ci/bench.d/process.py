"""Server processes: started on some cores, stopped and continued by signals, ended whatever happens."""

import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

from ask import ask

ALL_CPUS = sorted(os.sched_getaffinity(0))
TICK = os.sysconf("SC_CLK_TCK")
RUN_CPUS, LOAD_CPUS = ALL_CPUS[:1], ALL_CPUS[-1:]


class Crowd:
    """All processes that a run has started."""

    def __init__(self):
        self.servers = []

    def launch(self, name, here, command, port, cpus):
        with open(here / "log", "w") as log:
            process = subprocess.Popen([str(c) for c in command], cwd=here, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env={**os.environ, "GOMAXPROCS": str(len(cpus))},
                                       preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        server = Server(name, process, port, here / "log")
        self.servers.append(server)
        return server

    def only(self, *running):
        """The others stand still, whatever they may have had in mind."""
        for server in self.servers:
            server.process.send_signal(signal.SIGCONT if server in running else signal.SIGSTOP)

    def end(self, server):
        server.process.send_signal(signal.SIGCONT)
        server.process.terminate()
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
        self.servers.remove(server)

    def end_all(self):
        for server in list(self.servers):
            server.process.send_signal(signal.SIGCONT)
            server.process.terminate()
        for server in list(self.servers):
            self.end(server)


def machine_cpu():
    """CPU seconds of everything on this machine so far, and those that the host took."""
    f = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(f) - f[3] - f[4] - f[7]) / TICK, f[7] / TICK


class Server:
    def __init__(self, name, process, port, log):
        self.name, self.process, self.port, self.log = name, process, port, log
        self.began, self.ready_after = time.monotonic(), None

    def pids(self):
        """The process and all below it."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo += [int(child) for child in children.read_text().split()]
        return found

    def cpu(self):
        """CPU seconds so far."""
        fields = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.pids()]
        return sum(int(f[11]) + int(f[12]) for f in fields) / TICK

    def memory(self, what="VmRSS"):
        """MiB of the process and all below it."""
        texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.pids()]
        return sum(int(re.search(what + r":\s+(\d+)", text)[1]) for text in texts) / 1024

    def move(self, cpus):
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), cpus)

    def await_answer(self, name, rcode, limit=180):
        """Asks until the answer has the rcode; the first time that counts as the server's start."""
        end = time.monotonic() + limit
        while time.monotonic() < end and self.process.poll() is None:
            answer = ask(self.port, name)
            if answer and answer[0] == rcode:
                self.ready_after = self.ready_after or time.monotonic() - self.began
                return
            time.sleep(0.005)
        raise SystemExit(f"{self.name} does not answer {name} as it should:\n{self.log.read_text()[-2000:]}")


def free_port():
    """A port of 127.0.0.1 that is free for UDP and TCP now, below those that clients' sockets get."""
    while True:
        port = random.randint(20_000, 32_000)
        try:
            with socket.socket(type=socket.SOCK_DGRAM) as u, socket.socket() as t:
                u.bind(("127.0.0.1", port))
                t.bind(("127.0.0.1", port))
                return port
        except OSError:
            continue
