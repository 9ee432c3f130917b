"""The front end's socket at its limits. Its everyday life is in test_trainer_job.py and test_faults.py."""

import contextlib
import socket
import time

import pytest

from blender_dreamfusion.core_files import protocol
from blender_dreamfusion.link import Link, Lost


@pytest.fixture
def link():
    made = Link()
    yield made
    made.close()


def trainer(link):
    """A connection that was let in; its Hello was received."""
    connection = socket.create_connection(("127.0.0.1", link.port))
    connection.sendall(protocol.encode(protocol.Hello(link.token)))
    assert receive(link) == protocol.Hello(link.token)
    return connection


def receive(link):
    """The next message, waited for."""
    end = time.monotonic() + 10
    while (message := link.receive()) is None:
        assert time.monotonic() < end, "nothing comes"
        time.sleep(0.001)
    return message


def test_orders_larger_than_the_connection_arrive_whole(link):
    orders = [protocol.Generate("a mug", f"/{number}", {"negative": "x" * 60_000}) for number in range(100)]
    with contextlib.closing(trainer(link)) as connection:
        for order in orders:
            link.send(order)
        reader, heard = protocol.LineReader(), []
        while len(heard) < len(orders):
            assert link.receive() is None
            heard += map(protocol.decode, reader.feed(connection.recv(65536)))
    assert heard == orders


def test_what_came_before_the_end_is_received_before_the_loss(link):
    connection = trainer(link)
    connection.sendall(protocol.encode(protocol.Log("a")) + protocol.encode(protocol.Log("b")))
    connection.close()
    heard = [link.receive() for _ in range(4)]
    assert heard == [protocol.Log("a"), protocol.Log("b"), Lost("the connection ended"), None]


def test_a_system_without_room_for_a_connection_gives_one_later(link, monkeypatch):
    class Full:
        """A listener whose system has too many files open."""

        def accept(self):
            raise OSError(24, "Too many open files")

        def close(self):
            pass

    listener = link._listener
    monkeypatch.setattr(link, "_listener", Full())
    assert link.receive() is None
    monkeypatch.setattr(link, "_listener", listener)
    trainer(link).close()


def test_the_system_keeps_no_long_history_for_a_busy_front_end(link):
    line = protocol.encode(protocol.Progress("training", 1, 2, 0.5, 1.0))
    with contextlib.closing(trainer(link)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, protocol.BUFFER)
        connection.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += connection.send(line)
    assert sent / len(line) < 3000


def test_a_closed_link_reads_no_more(link):
    connection = trainer(link)
    connection.sendall(protocol.encode(protocol.Log("a")))
    link.close()
    link.close()
    assert link.receive() is None
    link.send(protocol.Cancel())
    connection.close()


def test_garbage_is_no_sign_of_life_however_much_comes(link, monkeypatch):
    monkeypatch.setattr(protocol, "SILENCE_SECONDS", 0.5)
    with contextlib.closing(trainer(link)) as connection:
        connection.sendall(protocol.encode(protocol.Progress("training", 1, 2, 0.5, 1.0)))
        assert isinstance(receive(link), protocol.Progress)
        heard = []
        for _ in range(10):
            connection.sendall(b"garbage\n")
            time.sleep(0.1)
            heard.append(link.receive())
            if heard[-1]:
                break
        assert heard[-1] == Lost("no sign of life", "0 s")
        assert 3 <= len(heard) <= 9


def test_what_is_to_be_sent_goes_with_the_next_look(link):
    with contextlib.closing(trainer(link)) as connection:
        link.send(protocol.Pause())
        link.send(protocol.Resume())
        assert link.receive() is None
        connection.settimeout(10)
        expected = protocol.encode(protocol.Pause()) + protocol.encode(protocol.Resume())
        assert connection.recv(65536) == expected
