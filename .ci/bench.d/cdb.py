"""A constant database, as dnsdist reads it: https://cr.yp.to/cdb/cdb.txt."""

import struct

TABLES = 256


def write(path, names):
    """The names as keys, each with the value 1."""
    slots = [[] for _ in range(TABLES)]
    records, at = [], TABLES * 8
    for name in names:
        key = name.encode()
        slots[hashed(key) % TABLES].append((hashed(key), at))
        records.append(struct.pack("<II", len(key), 1) + key + b"1")
        at += len(records[-1])
    heads, tables = [], []
    for some in slots:
        table = make_table(some)
        heads.append(struct.pack("<II", at, len(table)))
        tables.append(b"".join(struct.pack("<II", *slot) for slot in table))
        at += len(tables[-1])
    path.write_bytes(b"".join(heads + records + tables))


def hashed(key):
    h = 5381
    for octet in key:
        h = (h * 33 & 0xFFFFFFFF) ^ octet
    return h


def make_table(slots):
    """A hash table that is half full, with linear probing."""
    table = [(0, 0)] * (2 * len(slots))
    for h, at in slots:
        i = (h >> 8) % len(table)
        while table[i][1]:
            i = (i + 1) % len(table)
        table[i] = (h, at)
    return table
