"""Whose process is at the other end of a connection on this machine.

A port on loopback is open to every user of the machine, and unmodified clients send no secret. On Linux the kernel
says who made the socket at the other end: when asked for that connection (sock_diag.py), or, where nobody may ask, in
its table of all of them (/proc/net/tcp, and tcp6, has the user by the four numbers of the connection).
Elsewhere the peer is this user's if one of this user's processes has that socket open; other users' processes, root's
included, cannot be looked into there and count as strangers.

A socket that was closed already belongs to nobody any more, and to the kernel it looks like root's: it is a stranger's.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

from chimera_nb.machine import sock_diag

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LOOKS = 3  # the table is read in pieces while it changes: a line may be missed
_ROOT = 0

Address = tuple[str, int]


def is_own(local: Any, remote: Any) -> bool:
    """Whether the peer of a connection belongs to this process's user, or to root.

    local and remote are the connection's two addresses as this side has them (host, port, ...).
    """
    here, there = _address(local), _address(remote)
    if here is None or there is None:
        return False
    if sys.platform != "linux":
        return _has_open(there, here)
    user = sock_diag.user_of(there, here)
    return may_enter(user_of(there, here) if user is None else user)


def is_own_connection(transport: Any) -> bool:
    """The same for a transport of asyncio, or whatever has its `get_extra_info`."""
    return is_own(transport.get_extra_info("sockname"), transport.get_extra_info("peername"))


def may_enter(user: int | None, own: int | None = None) -> bool:
    """The rule: one's own user and root; not who is unknown. `own` is this process's user if left out."""
    return user is not None and user in {_ROOT, os.geteuid() if own is None else own}


def user_of(local: Address, remote: Address, read: Callable[[str], str] | None = None) -> int | None:
    """The user of the socket at `local` that is connected to `remote`, by Linux's table; None where there is none."""
    port = f":{local[1]:04X} "  # of a thousand lines few are worth to be decoded
    for _ in range(_LOOKS):
        for table in _TABLES:
            try:
                text = (read or _read)(table)
            except OSError:  # a machine without IPv6 has one table
                continue
            for row in _rows(line for line in text.splitlines()[1:] if port in line):
                if row[:2] == (local, remote):
                    return row[2]
    return None


def _rows(lines: Iterable[str]) -> Iterator[tuple[Address, Address, int | None]]:
    # https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
    for line in lines:
        words = line.split()
        if len(words) > 9:
            orphaned = words[9] == "0"  # no inode: closed, and its user is given as 0
            yield _decoded(words[1]), _decoded(words[2]), None if orphaned else int(words[7])


def _decoded(text: str) -> Address:
    """An address of the table: words of 32 bits in the machine's order, in hex, and the port."""
    host, _, port = text.partition(":")
    raw = bytes.fromhex(host)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return _plain(ipaddress.ip_address(raw)), int(port, 16)


def _has_open(local: Address, remote: Address) -> bool:
    """Whether a process of this user has the socket at `local` that is connected to `remote`."""
    for process in psutil.process_iter():
        try:
            if process.uids().real != os.getuid():
                continue
            connections = process.net_connections("tcp")
        except psutil.Error:
            continue
        if any((_address(c.laddr), _address(c.raddr)) == (local, remote) for c in connections):
            return True
    return False


def _address(pair: Any) -> Address | None:
    """A socket's address without what IPv6 adds to it; None for one that is none of TCP."""
    try:
        return _plain(ipaddress.ip_address(str(pair[0]).partition("%")[0])), int(pair[1])
    except (TypeError, IndexError, ValueError):
        return None


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _read(path: str) -> str:
    return Path(path).read_text("ascii")
