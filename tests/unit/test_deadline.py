"""A request's deadline, against servers that keep a connection busy without coming to an end."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
import requests

from pipeline.storage.deadline import deadline, mount
from tests.fixtures.certificates import make_certificate

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def session():
    with requests.Session() as made:
        made.trust_env = False
        mount(made, connections=4)
        yield made


@pytest.fixture
def serve():
    """A function that serves each connection by a function of its socket, and gives the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_ones, threads = [listening], []

    def start(answer):
        threads.append(threading.Thread(target=accept, args=(answer,), daemon=True))
        threads[0].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    def accept(answer):
        with suppress(OSError):
            while True:
                open_ones.append(listening.accept()[0])
                threads.append(threading.Thread(target=run, args=(answer, open_ones[-1]), daemon=True))
                threads[-1].start()

    def run(answer, connection):
        with connection, suppress(OSError):  # when the client hangs up, as it should
            answer(connection)

    yield start
    for one in open_ones:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    listening.close()


def drip(connection, data, pause=0.02):
    """A byte now and then: no read ever waits for long."""
    for at in range(len(data)):
        connection.sendall(data[at : at + 1])
        time.sleep(pause)


def drips_its_body(connection):
    connection.recv(65536)
    connection.sendall(HEAD % 100_000)
    drip(connection, bytes(100_000))


def drips_its_head(connection):
    connection.recv(65536)
    drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 60_000)


def says_nothing(connection):
    connection.recv(65536)
    connection.recv(1)


def takes_an_upload_slowly(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while connection.recv(512):
        time.sleep(0.01)


def ends_its_body_by_hanging_up(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    drip(connection, bytes(100_000))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (drips_its_body, b""),
        (drips_its_head, b""),
        (says_nothing, b""),
        (takes_an_upload_slowly, bytes(64 << 20)),
        (ends_its_body_by_hanging_up, b""),
    ],
)
def test_a_request_that_comes_to_no_end_is_ended(session, serve, answer, sent):
    url = serve(answer)
    with pytest.raises(TimeoutError, match="not done within 1 s"), deadline(0.6):
        session.post(url, data=sent, timeout=20)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("answer", [drips_its_body, drips_its_head, says_nothing, None])
def test_tls_is_no_shelter(session, serve, certificate, answer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def encrypted(connection):
        if answer is None:  # it never comes to a handshake
            says_nothing(connection)
            return
        with suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as wrapped:
            answer(wrapped)

    url = serve(encrypted).replace("http:", "https:")
    with pytest.raises(TimeoutError), deadline(0.6):
        session.get(url, timeout=20, verify=certificate)


@pytest.mark.timeout(30)
def test_a_body_that_is_streamed_is_bounded_as_well(session, serve):
    url = serve(drips_its_body)
    with pytest.raises(TimeoutError), deadline(0.6):
        session.get(url, timeout=20, stream=True).raw.read(decode_content=False)


def answers_twice(connection):
    for _ in range(2):
        connection.recv(65536)
        connection.sendall(HEAD % 2 + b"ok")
    connection.recv(1)


@pytest.mark.timeout(30)
def test_a_request_that_was_done_in_time_gives_its_connection_back_unharmed(session, serve):
    url = serve(answers_twice)
    with deadline(0.3):
        assert session.get(url, timeout=20).content == b"ok"
    time.sleep(0.6)  # past the first one's deadline, on the connection that is kept
    with deadline(20):
        assert session.get(url, timeout=20).content == b"ok"


@pytest.mark.timeout(30)
def test_an_error_before_the_deadline_is_that_error(session):
    with pytest.raises(requests.ConnectionError), deadline(20):
        session.get("http://127.0.0.1:1/", timeout=20)


@pytest.mark.timeout(60)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_forked_child_has_a_watch_of_its_own(session, serve):
    url = serve(drips_its_body)
    with pytest.raises(TimeoutError), deadline(0.3):
        session.get(url, timeout=20)
    child = os.fork()
    if not child:
        try:
            with requests.Session() as own:
                mount(own, connections=1)
                with deadline(0.3):
                    own.get(url, timeout=20)
        except TimeoutError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
