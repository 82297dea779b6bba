"""How each server is set up: the same list, the same upstream, one thread a core, a cache that has room, no query log.

A peer has the list in the fastest form that it knows; with two of them that form refuses the listed name alone, and not, as
Cordon and unbound do, what is below it. Cordon has all of its policy on: the list beside the built-in ones, agencies
with networks of their own, exceptions, allowed clients, metrics, the audit log, and a state directory.
"""

import datetime
import re
import shutil
import urllib.request

import cdb
import names
from ask import NOERROR, NXDOMAIN
from process import LOAD_CPUS, free_port

PACKAGES = {"dnsdist": "dnsdist", "unbound": "unbound", "pdns-recursor": "pdns-recursor"}
UPSTREAM_PACKAGE = "nsd"


def start_upstream(crowd, scratch):
    here, port = directory(scratch, "nsd"), free_port()
    (here / "zone").write_text("".join(names.zone()))
    (here / "root").write_text("".join(names.root_zone()))
    (here / "conf").write_text(f"""server:
  ip-address: 127.0.0.1@{port}
  zonesdir: {here}
  database: ""
  pidfile: {here}/pid
  xfrdfile: {here}/xfrd
  zonelistfile: {here}/zones
  username: ""
  chroot: ""
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: example.net
  zonefile: zone
zone:
  name: .
  zonefile: root
""")
    server = crowd.launch("nsd", here, ["/usr/sbin/nsd", "-d", "-c", here / "conf"], port, LOAD_CPUS)
    server.await_answer(names.warm(0), NOERROR)
    return server


class Dnsdist:
    """The list as a CDB, which is mapped, not read: its start costs nothing."""

    form, below = "compiled", False

    def __init__(self, scratch, listed):
        self.list = scratch / "list.cdb"
        cdb.write(self.list, listed)

    def command(self, here, port, upstream, threads):
        sockets = "".join(f'{"addLocal" if i else "setLocal"}("127.0.0.1:{port}", {{reusePort=true}})\n' for i in range(threads))
        (here / "conf").write_text(f"""{sockets}
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{upstream}", sockets={threads}}}):setUp()
cache = newPacketCache(2000000, {{maxTTL=86400}})
getPool(""):setCache(cache)
listed = newCDBKVStore("{self.list}", 3600)
addAction(KeyValueStoreLookupRule(listed, KeyValueLookupKeyQName(false)), RCodeAction(DNSRCode.NXDOMAIN))
""")
        return ["/usr/bin/dnsdist", "--supervised", "--disable-syslog", "-C", here / "conf"]


class Unbound:
    """The list as local zones, the faster of the two forms that it knows."""

    form, below = "text", True

    def __init__(self, scratch, listed):
        self.list = scratch / "list.local-zones"
        self.list.write_text("server:\n" + "".join(f'local-zone: "{name}." always_nxdomain\n' for name in listed))

    def command(self, here, port, upstream, threads):
        (here / "conf").write_text(f"""server:
  interface: 127.0.0.1@{port}
  num-threads: {threads}
  so-reuseport: yes
  so-rcvbuf: 4m
  do-daemonize: no
  use-syslog: no
  logfile: ""
  verbosity: 0
  username: ""
  chroot: ""
  directory: {here}
  pidfile: {here}/pid
  module-config: "iterator"
  msg-cache-size: 512m
  rrset-cache-size: 1g
  msg-cache-slabs: 4
  rrset-cache-slabs: 4
  outgoing-range: 8192
  num-queries-per-thread: 4096
  incoming-num-tcp: 256
  do-not-query-localhost: no
  qname-minimisation: no
  minimal-responses: yes
  access-control: 127.0.0.0/8 allow
include: {self.list}
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
remote-control:
  control-enable: no
""")
        return ["/usr/sbin/unbound", "-d", "-c", here / "conf"]


class Recursor:
    """The list as a response policy zone."""

    form, below = "text", False

    def __init__(self, scratch, listed):
        self.list = scratch / "list.rpz"
        self.list.write_text("$TTL 3600\n@ SOA ns.policy.example. hostmaster.policy.example. 1 3600 600 86400 3600\n@ NS localhost.\n"
                             + "".join(f"{name} CNAME .\n" for name in listed))

    def command(self, here, port, upstream, threads):
        (here / "policy.lua").write_text(f'rpzFile("{self.list}", {{defpol=Policy.NXDOMAIN, policyName="listed"}})\n')
        (here / "recursor.conf").write_text(f"""local-address=127.0.0.1
local-port={port}
threads={threads}
pdns-distributes-queries=no
reuseport=yes
forward-zones-recurse=.=127.0.0.1:{upstream}
dnssec=off
lua-config-file={here}/policy.lua
max-cache-entries=2000000
max-packetcache-entries=2000000
max-mthreads=8192
max-tcp-clients=1000
dont-query=
allow-from=127.0.0.0/8
serve-rfc1918=no
security-poll-suffix=
socket-dir={here}
daemon=no
write-pid=no
loglevel=3
quiet=yes
disable-syslog=yes
qname-minimization=no
""")
        return ["/usr/sbin/pdns_recursor", f"--config-dir={here}"]


class Cordon:
    form, below = "text", True

    def __init__(self, scratch, listed, binary):
        self.binary, self.policy, self.admin = binary, directory(scratch, "policy"), {}
        self.list = self.policy / "names.txt"
        self.list.write_text("".join(name + "\n" for name in listed))
        until = datetime.date.today() + datetime.timedelta(days=180)
        (self.policy / "policy.yaml").write_text(f"""timezone: Europe/Brussels
lists:
  - {{name: measured, source: "file:names.txt"}}
  - {{name: bytedance, source: "builtin:bytedance"}}
  - {{name: networks, source: "builtin:bytedance-networks"}}
policies:
  - {{name: council, from: 2023-03-10, lists: [measured, bytedance, networks]}}
agencies:
  - {{name: federal, networks: [127.0.0.0/8, "2001:db8:10::/48"], policies: [council]}}
  - {{name: defence, parent: federal, networks: [127.10.7.0/24]}}
  - {{name: visitors, parent: federal, networks: [127.10.200.0/22], mode: observe}}
exceptions:
  - {{name: press, agency: defence, clients: [127.10.7.42], reason: press office, approved_by: director, until: {until}}}
  - {{name: house, agency: federal, clients: [127.77.7.0/24], reason: research, approved_by: director, until: {until}}}
""")

    def command(self, here, port, upstream, threads):
        self.admin[here] = free_port()
        (here / "state").mkdir(exist_ok=True)
        (here / "cordon.yaml").write_text(f"""listen:
  dns: ["127.0.0.1:{port}"]
  admin: "127.0.0.1:{self.admin[here]}"
allow_clients: [192.0.2.0/24]
upstreams:
  - {{address: "127.0.0.1:{upstream}"}}
limits: {{waiting_per_client: 20000, waiting_total: 20000}}
policy_dir: {self.policy}
state_dir: {here}/state
""")
        return [self.binary, "serve", "--config", here / "cordon.yaml"]

    def cache_mib(self, here):
        """What the cache takes of the memory."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin[here]}/metrics", timeout=5) as reply:
            text = reply.read().decode()
        return float(re.search(r"^cordon_cache_bytes(?:\{[^}]*\})? (\S+)$", text, re.MULTILINE)[1]) / (1 << 20)


PEERS = {"dnsdist": Dnsdist, "unbound": Unbound, "pdns-recursor": Recursor}


def start(crowd, scratch, kind, name, upstream, last_listed, cpus, anew=True):
    """Starts a server and waits for its list to be in force. anew: it has no state yet."""
    here = directory(scratch, f"{name}-{len(cpus)}", anew)
    port = free_port()
    server = crowd.launch(name, here, kind.command(here, port, upstream.port, len(cpus)), port, cpus)
    server.here, server.kind = here, kind
    server.await_answer(last_listed, NXDOMAIN)
    return server


def directory(scratch, name, anew=True):
    here = scratch / name
    if anew:
        shutil.rmtree(here, ignore_errors=True)
    here.mkdir(exist_ok=True)
    return here
