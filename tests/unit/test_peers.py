"""Who is at the other end of a connection: this user and root are told from all others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from chimera_nb.machine import peers, sock_diag

NOBODY = 65534
_CLIENT = """
import os, socket, sys
user = int(sys.argv[3])
if user >= 0:
    os.setgid(user)
    os.setuid(user)
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family) as client:
    client.connect((sys.argv[1], int(sys.argv[2])))
    print("connected", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def peer(host: str = "127.0.0.1", *, user: int = -1, listen: str = ""):
    """A connection from a process of this user's, or of another's: this side of it."""
    family = socket.AF_INET6 if ":" in (listen or host) else socket.AF_INET
    with closing(socket.socket(family)) as server:
        server.bind((listen or host, 0))
        server.listen()
        port = server.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, "-c", _CLIENT, host, str(port), str(user)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout.readline() == "connected\n"
                connection, _ = server.accept()
                with connection:
                    yield connection
            finally:
                process.communicate("\n")


def nobody_may_ask(monkeypatch) -> None:
    """As in a sandbox that has no netlink: the table of all connections is read."""

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(sock_diag, "_asked", refuse)


def is_own(connection: socket.socket) -> bool:
    return peers.is_own(connection.getsockname(), connection.getpeername())


@pytest.mark.parametrize(("host", "listen"), [("127.0.0.1", ""), ("127.0.0.2", ""), ("127.0.0.1", "::")])
def test_a_process_of_this_user_is_let_in(host, listen, monkeypatch):
    with peer(host, listen=listen) as connection:
        assert is_own(connection)
        nobody_may_ask(monkeypatch)
        assert is_own(connection)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_a_process_of_this_user_is_let_in_by_the_other_protocol():
    with peer("::1") as connection:
        assert is_own(connection)


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can be somebody else; the decision is tested for everybody"
)
@pytest.mark.parametrize(("host", "listen"), [("127.0.0.1", ""), ("127.0.0.1", "::"), ("::1", "")])
def test_a_process_of_another_user_is_not(host, listen, monkeypatch):
    with peer(host, listen=listen, user=NOBODY) as connection:
        assert not is_own(connection)
        nobody_may_ask(monkeypatch)
        assert not is_own(connection)


@pytest.mark.parametrize(
    ("user", "own", "enters"),
    [
        (1000, 1000, True),
        (0, 1000, True),
        (0, 0, True),
        (1001, 1000, False),
        (NOBODY, 0, False),
        (None, 0, False),
    ],
)
def test_ones_own_user_and_root_may_enter(user, own, enters):
    assert peers.may_enter(user, own) is enters


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table")
def test_one_who_has_hung_up_already_is_nobody_and_not_root():
    # A request can be sent and the socket closed before it is read; the kernel gives such a socket user 0.
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        connection, _ = server.accept()
        with connection:
            client.sendall(b"POST / HTTP/1.0\r\n\r\n")
            client.close()
            assert not is_own(connection)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_connection_is_asked_for_by_all_its_numbers():
    with peer() as connection:
        here, there = connection.getsockname(), connection.getpeername()
        told = sock_diag.user_of(there, here)
        assert told in {os.geteuid(), None}  # None in a sandbox without netlink
        assert sock_diag.user_of(here, there) == told  # this end's user is the same
        assert sock_diag.user_of((there[0], there[1] ^ 1), here) is None
        assert sock_diag.user_of(here, (there[0], there[1] ^ 1)) is None  # not that of who listens there


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  {ours}        0 11 1 0 20 4 30 10 -1
   1: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  {user}        0 {inode} 1 0 20 4 30 10 -1
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is in the machine's byte order")
@pytest.mark.parametrize(("user", "inode", "found"), [(1001, 12, 1001), (0, 12, 0), (0, 0, None)])
def test_the_table_gives_the_user_of_the_other_end_and_not_of_this_one(user, inode, found):
    table = TABLE.format(ours=1000, user=user, inode=inode)
    looked = peers.user_of(("127.0.0.1", 0xC001), ("127.0.0.1", 0x1F90), lambda _: table)
    assert looked == found


def test_a_line_that_is_missed_is_looked_for_again():
    tables = iter(["", "", TABLE.format(ours=1, user=7, inode=12)])
    assert peers.user_of(("127.0.0.1", 0xC001), ("127.0.0.1", 0x1F90), lambda _: next(tables)) == 7


def test_a_machine_whose_connections_cannot_be_seen_lets_nobody_in():
    def read(path: str) -> str:
        raise FileNotFoundError(path)

    assert peers.user_of(("127.0.0.1", 1), ("127.0.0.1", 2), read) is None


@pytest.mark.parametrize("listen", ["", "::"])
def test_where_there_is_no_such_table_a_process_of_this_user_must_have_the_socket_open(monkeypatch, listen):
    monkeypatch.setattr(peers.sys, "platform", "darwin")
    with peer(listen=listen) as connection:
        assert is_own(connection)
        host, port, *_ = connection.getpeername()
        assert not peers.is_own(connection.getsockname(), (host, port ^ 1))


@pytest.mark.parametrize("address", ["/run/socket", "", None, b"", ("no address", 1)])
def test_what_is_no_connection_of_the_internets_is_refused(address):
    assert not peers.is_own(("127.0.0.1", 1), address)
