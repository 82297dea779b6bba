"""Cordon beside its peers: right answers first, then the rows, server by server within each round."""

import shutil
import statistics
import sys

import names
import servers
from ask import NOERROR, NXDOMAIN, ask
from process import ALL_CPUS, RUN_CPUS, free_port, machine_cpu
from rows import Load, make_rows
from table import print_table


def say(text):
    print(text, file=sys.stderr, flush=True)


def compare(o, scratch, crowd, cordon, dnsload):
    listed = names.listed(o.names)
    upstream = servers.start_upstream(crowd, scratch)
    load = Load(dnsload, names.write_files(scratch, listed), upstream, o.seconds)
    rows = make_rows()
    kinds = {name: servers.PEERS[name](scratch, listed) for name in o.servers}
    kinds["cordon"] = servers.Cordon(scratch, listed, cordon)
    alone = start_all(crowd, scratch, kinds, upstream, listed, RUN_CPUS, rows)
    shared = start_all(crowd, scratch, kinds, upstream, listed, ALL_CPUS, None) if len(ALL_CPUS) > 1 else {}
    wrong = check_all(crowd, upstream, [*alone.values(), *shared.values()], listed)
    if wrong:
        say("\n".join(wrong))
        return 1
    echo = start_echo(crowd, scratch, dnsload)
    for round_ in range(o.runs):
        for row in rows.values():
            if row.mode:
                some = {"echo": echo} if row.key == "floor" else shared if row.shared else alone
                for server in some.values():
                    crowd.only(server, upstream)
                    load.measure(row, server)
            if row.key == "memory" and round_ == 0:
                take_memory(row, alone, kinds["cordon"], crowd)
        say(f"round {round_ + 1} of {o.runs}")
    crowd.only(upstream)
    measure_starts(o, scratch, crowd, kinds["cordon"], upstream, listed, rows)
    print_table(rows.values(), list(alone), o.markdown)
    for fault in load.faults:
        say(fault)
    return 1 if load.faults else 0


def start_all(crowd, scratch, kinds, upstream, listed, cpus, rows):
    """One of each kind on these cores; how long it took goes into rows, if there are any."""
    found = {}
    for name, kind in kinds.items():
        crowd.only(upstream)
        server = found[name] = servers.start(crowd, scratch, kind, name, upstream, listed[-1], cpus)
        say(f"{name}, cores: {len(cpus)}; {len(listed):,} names in force after {server.ready_after:.2f} s, {server.memory():.0f} MiB")
        if rows and name != "cordon":  # which starts more than once
            rows[kind.form].add(name, server.ready_after)
    return found


def start_echo(crowd, scratch, dnsload):
    here, port = servers.directory(scratch, "echo"), free_port()
    return crowd.launch("echo", here, [dnsload, "-echo", f"127.0.0.1:{port}", "-seconds", "3600"], port, RUN_CPUS)


def check_all(crowd, upstream, running, listed):
    """What is wrong with the answers of each server, by rcode and by address."""
    wrong = []
    for server in running:
        crowd.only(server, upstream)
        for name, tcp, want in expected(listed, server.kind.below):
            found = ask(server.port, name, tcp, timeout=3)
            if found != want:
                wrong.append(f"{server.name}: {name} over {'TCP' if tcp else 'UDP'}: found {found}, want {want}")
    return wrong


def expected(listed, below):
    step = max(1, len(listed) // 25)
    for tcp in (False, True):
        for i in range(0, names.WARM, names.WARM // 25):
            yield names.warm(i), tcp, (NOERROR, [names.warm_address(i)])
        for i in range(0, names.CHAINS, names.CHAINS // 25):
            yield names.chain(i), tcp, (NOERROR, [names.chain_address(i)])
        for name in listed[::step]:
            yield name, tcp, (NXDOMAIN, [])
            if below:
                yield "below." + name, tcp, (NXDOMAIN, [])
        for i in range(10):
            yield f"check{i}{'t' if tcp else 'u'}.{names.WILD}", tcp, (NOERROR, [names.WILD_ADDRESS])
        yield names.UNLISTED, tcp, (NOERROR, [names.LEAK_ADDRESS])


def take_memory(row, alone, kind, crowd):
    for name, server in alone.items():
        crowd.only(server)
        row.add(name, server.memory() - (kind.cache_mib(server.here) if name == "cordon" else 0))


def measure_starts(o, scratch, crowd, kind, upstream, listed, rows):
    """Cordon's starts with its list as text and in the compiled form of its state, and the memory that a reload takes at most."""
    for round_ in range(o.runs):
        for form in ("text", "compiled"):
            busy, stolen = machine_cpu()
            server = servers.start(crowd, scratch, kind, "cordon-start", upstream, listed[-1], RUN_CPUS, anew=form == "text")
            busy, stolen = (after - before for after, before in zip(machine_cpu(), (busy, stolen)))
            rows[form].add("cordon", server.ready_after, (max(0, busy - server.cpu()) / server.ready_after, stolen / server.ready_after))
            if form == "compiled" and round_ == o.runs - 1:
                reload_once(kind, server, listed)
                rows["peak"].add("cordon", server.memory("VmHWM") - kind.cache_mib(server.here))
            crowd.end(server)
    for form in ("text", "compiled"):
        say(f"starts, {form}: {statistics.median(rows[form].values['cordon']):.3f} s")
    shutil.rmtree(scratch / "cordon-start-1", ignore_errors=True)


def reload_once(kind, server, listed):
    """The list with 1,500 names more replaces the list; it is waited for."""
    fresh = [f"fresh{i}.example.org" for i in range(1500)]
    new = kind.list.with_name("new")
    new.write_text("".join(name + "\n" for name in listed + fresh))
    new.rename(kind.list)
    server.await_answer(fresh[-1], NXDOMAIN)
