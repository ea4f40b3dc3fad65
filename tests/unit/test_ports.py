"""Where the local services listen: on the address that clients find by the name localhost."""

from __future__ import annotations

import socket

import pytest

from chimera_nb.local.ports import listen
from pipeline.errors import StackError


def resolve(monkeypatch, *addresses: str) -> None:
    def getaddrinfo(host, *_: object, **__: object):
        assert host == "localhost"
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in address], socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("addresses", "host"),
    [(("127.0.0.1",), "127.0.0.1"), (("::1", "127.0.0.1"), "127.0.0.1"), (("::1",), "::1")],
)
def test_it_listens_where_localhost_leads(addresses, host, tmp_path, monkeypatch):
    resolve(monkeypatch, *addresses)
    with listen(tmp_path / "port") as listening:
        found, port = listening.getsockname()[:2]
        assert found == host
    with listen(tmp_path / "port") as again:
        assert again.getsockname()[1] == port


@pytest.mark.parametrize(("addresses", "leads"), [((), "nowhere"), (("192.0.2.7",), "to 192.0.2.7")])
def test_a_localhost_that_leads_elsewhere_is_refused_with_the_way_out(
    addresses, leads, tmp_path, monkeypatch
):
    resolve(monkeypatch, *addresses)
    with pytest.raises(StackError, match=f"localhost leads {leads} .* `127.0.0.1 localhost` to /etc/hosts"):
        listen(tmp_path / "port")
