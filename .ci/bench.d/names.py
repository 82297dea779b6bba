"""The names that are listed and asked for: the same ones every time, all of them below the domains of RFC 2606."""

import random

WARM = 10_000  # names that are in the cache before anything is timed
CHAINS = 2_500  # the same, behind three CNAMEs each
ASKED = 20_000  # listed names that are asked for

WILD = "wild.example.net"  # every name below it exists: misses without end
MISSES = "u{n}." + WILD
UNLISTED = "on-no-list.example.org"

WILD_ADDRESS = "10.200.0.1"
LEAK_ADDRESS = "10.9.9.9"  # of every name that is not otherwise known, the listed ones too: a server that lets one through is seen


def listed(count):
    """count names, of the depths that lists have."""
    chance = random.Random(7)
    syllables = [c + v for c in "bcdfghjklmnprstvz" for v in "aeiou"]
    found = {}
    while len(found) < count:
        words = ["".join(chance.choices(syllables, k=chance.randint(3, 5))) for _ in range(chance.choice((1, 2, 2, 3)))]
        found[".".join((*words, "example", chance.choice(("com", "net", "org"))))] = None
    return list(found)


def warm(i):
    return f"host{i}.warm.example.net"


def warm_address(i):
    return f"10.0.{i >> 8}.{i & 255}"


def chain(i):
    return f"start{i}.chain.example.net"


def chain_address(i):
    return f"10.1.{i >> 8}.{i & 255}"


def zone():
    """The records of example.net, as the upstream has them."""
    yield "$TTL 86400\n@ SOA ns hostmaster 1 3600 600 86400 3600\n@ NS ns\nns A 127.0.0.1\n"
    yield f"* A {LEAK_ADDRESS}\n*.wild A {WILD_ADDRESS}\n"
    for i in range(WARM):
        yield f"host{i}.warm A {warm_address(i)}\n"
    for i in range(CHAINS):
        yield f"start{i}.chain CNAME one{i}.chain\none{i}.chain CNAME two{i}.chain\ntwo{i}.chain CNAME end{i}.chain\n"
        yield f"end{i}.chain A {chain_address(i)}\n"


def root_zone():
    yield f"$TTL 86400\n@ SOA ns hostmaster 1 3600 600 86400 3600\n@ NS ns\nns A 127.0.0.1\n* A {LEAK_ADDRESS}\n"


def write_files(here, names):
    """The files that dnsload reads, by its options."""
    files = {
        "-refused": random.Random(3).sample(names, min(ASKED, len(names))),
        "-hits": [warm(i) for i in range(WARM)],
        "-chains": [chain(i) for i in range(CHAINS)],
    }
    for option, some in files.items():
        (here / option[1:]).write_text("".join(name + "\n" for name in some))
    return {**{option: here / option[1:] for option in files}, "-misses": MISSES}
