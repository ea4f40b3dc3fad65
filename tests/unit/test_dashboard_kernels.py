"""The dashboard's kernels: when they end, whose they are, and how one learns whom it serves."""

from __future__ import annotations

import asyncio
import signal
import stat
import sys
import time
import uuid

import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from chimera_nb.jobs import requester
from chimera_nb.server.forking import ForkServerError
from chimera_nb.server.identity import network_of
from chimera_nb.server.kernels import DashboardKernels, OneKernelSpec
from chimera_nb.server.pages import FullError, Pages
from chimera_nb.server.provisioner import ForkProvisioner

TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (["accounts.google.com:alice@example.com"], "alice@example.com"),
        (["bob"], "bob"),
        ([" bob "], "bob"),
        ([], None),
        ([""], None),
        (["accounts.google.com:"], None),
        (["alice", "bob"], None),
        (["alice,bob"], None),
        (["alice\nbob"], None),
        (["<b>alice</b>"], None),
        (["a" * 255], None),
    ],
)
def test_a_header_names_one_user_or_nobody(lines, user):
    assert requester.user_from_header(lines) == user


def test_the_visitor_of_a_kernel_is_read_from_a_file_that_only_we_can_read(tmp_path, monkeypatch):
    kernel_id = str(uuid.uuid4())
    monkeypatch.setattr("ipykernel.connect.get_connection_file", lambda: f"/run/kernel-{kernel_id}.json")
    monkeypatch.delenv(requester.FOLDER_VARIABLE, raising=False)
    assert requester.current_requester() is None  # a notebook
    monkeypatch.setenv(requester.FOLDER_VARIABLE, str(tmp_path))
    assert requester.current_requester() == requester.UNKNOWN  # handed to nobody
    requester.record_requester(tmp_path, kernel_id, "alice@example.com")
    assert requester.current_requester() == "alice@example.com"
    assert stat.S_IMODE((tmp_path / kernel_id).stat().st_mode) == 0o600
    requester.forget_requester(tmp_path, kernel_id)
    assert requester.current_requester() == requester.UNKNOWN


def test_a_program_that_is_no_kernel_has_no_visitor(tmp_path, monkeypatch):
    monkeypatch.setenv(requester.FOLDER_VARIABLE, str(tmp_path))
    assert requester.current_requester() == requester.UNKNOWN


def test_the_kernel_is_this_interpreter_whatever_is_installed():
    specs = OneKernelSpec()
    assert list(specs.get_all_specs()) == ["python3"]
    assert specs.get_kernel_spec("python3").argv[0] == sys.executable
    assert specs.get_kernel_spec("another").argv[0] == sys.executable


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    monkeypatch.setenv("CHIMERA_DASH_TOKEN", TOKEN)
    made = DashboardKernels(
        visitors=tmp_path, extra_environment={"A": "b"}, vouched=True, away=100.0, quiet=1000.0
    )
    ended = []

    async def shutdown(kernel_id, *, now):
        ended.append(kernel_id)

    monkeypatch.setattr(made, "shutdown_kernel", shutdown)
    made.ended = ended
    return made


class NoForkServer:
    """One that has ended."""

    async def fork(self, **_):
        raise ForkServerError("ended")


@pytest.mark.parametrize("fork_server", [None, NoForkServer()])
def test_a_kernel_starts_as_any_other_where_nothing_is_forked(kernels, fork_server, tmp_path):
    kernels.fork_server, kernels.kernel_spec_manager = fork_server, OneKernelSpec()
    manager, _, kernel_id = kernels.pre_start_kernel("python3", {"kernel_id": str(uuid.uuid4())})
    manager.kernel_id = kernel_id

    async def launched():
        provisioner = KernelProvisionerFactory.instance().create_provisioner_instance(
            kernel_id, manager.kernel_spec, parent=manager
        )
        assert type(provisioner) is ForkProvisioner
        provisioner.connection_info = {}
        await provisioner.launch_kernel(["sleep", "1000"], env={}, cwd=str(tmp_path))
        assert await provisioner.poll() is None
        await provisioner.send_signal(signal.SIGTERM)
        assert await provisioner.wait() == -signal.SIGTERM

    asyncio.run(launched())


def test_no_kernel_is_given_the_token(kernels):
    assert TOKEN not in kernels._environment.values()
    assert kernels._environment["A"] == "b"


@pytest.mark.parametrize(
    ("connected", "silent", "ends"),
    [(False, 99, False), (False, 101, True), (True, 101, False), (True, 1001, True)],
)
def test_a_kernel_ends_when_its_page_is_away_or_says_nothing(kernels, monkeypatch, connected, silent, ends):
    kernels.hand_over("k", "alice")
    if connected:
        kernels.connected("k", object())
    then = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: then + silent)
    asyncio.run(kernels.cull_kernel_if_idle("k"))
    assert kernels.ended == (["k"] if ends else [])


def test_a_kernel_that_waits_for_a_visitor_is_left_alone(kernels):
    kernels.reserve("k")
    asyncio.run(kernels.cull_kernel_if_idle("k"))
    assert kernels.ended == []
    assert kernels.taken == 1


def test_a_kernel_that_ends_closes_its_pages_and_is_nobodys(kernels, tmp_path):
    class Socket:
        def close(self, code, reason):
            self.closed = code

    socket = Socket()
    kernels.reserve("k")
    kernels.hand_over("k", "alice")
    kernels.connected("k", socket)
    assert (tmp_path / "k").read_text() == "alice"
    kernels.remove_kernel("k")
    assert socket.closed == 4404
    assert not kernels.owners
    assert kernels.taken == 0
    assert not (tmp_path / "k").exists()


def take_all(kernels, visitors, limit):
    """Which of these (owner, network) get a page, one after the other."""

    async def render(kernel_id, manager):
        yield "frame"

    async def start(kernel_id):
        return None

    kernels.start = start

    async def take():
        pages = Pages(kernels, render, warm=0, limit=limit)
        got = []
        for owner, network in visitors:
            try:
                page = pages.take(owner, network)
            except FullError:
                continue
            got.append((owner, network))
            await page.finished()
        await pages.close()
        return got

    return asyncio.run(take())


def test_one_who_comes_without_cookies_does_not_take_every_kernel(kernels):
    # Each request with the token and no cookie is another visitor.
    flood = [(f"visitor-{n}", "192.0.2.1") for n in range(20)]
    assert len(take_all(kernels, [*flood, ("colleague", "192.0.2.2")], limit=8)) == 4 + 1
    assert ("colleague", "192.0.2.2") in zip(kernels.owners.values(), kernels.networks.values(), strict=True)


def test_a_network_that_gives_a_kernel_back_gets_another(kernels):
    take_all(kernels, [("a", "192.0.2.1"), ("b", "192.0.2.1")], limit=4)
    gone = next(iter(kernels.owners))
    kernels.reserve(gone)
    kernels.remove_kernel(gone)
    assert take_all(kernels, [("c", "192.0.2.1")], limit=4) == [("c", "192.0.2.1")]


def test_users_that_a_proxy_names_are_counted_by_name_alone(kernels):
    users = [(f"user-{n}", None) for n in range(10)]
    assert take_all(kernels, users, limit=10) == users


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
    ],
)
def test_an_address_is_counted_by_what_one_visitor_can_have_of_them(address, network):
    assert network_of(address) == network
