import threading
import time

import pytest

from agent.runtime.mailbox import Closed, Mailbox


def test_newest_replaces_oldest_and_is_counted() -> None:
    box: Mailbox[int] = Mailbox(size=1, lossless=False)
    for item in range(5):
        box.put(item)
    assert box.get() == 4
    assert box.dropped == 4


def test_lossless_makes_the_writer_wait() -> None:
    box: Mailbox[int] = Mailbox(size=2, lossless=True)
    got: list[int] = []

    def write() -> None:
        for item in range(50):
            box.put(item)
        box.close()

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.05)
    assert writer.is_alive(), "the writer went on although the box was full"
    with pytest.raises(Closed):
        while True:
            item = box.get(timeout_s=5)
            assert item is not None
            got.append(item)
    writer.join()
    assert got == list(range(50))
    assert box.dropped == 0


def test_get_gives_none_when_nothing_comes_in_time() -> None:
    box: Mailbox[int] = Mailbox(size=1, lossless=True)
    assert box.get(timeout_s=0.01) is None


def test_closing_wakes_a_waiting_writer_and_refuses_items() -> None:
    box: Mailbox[int] = Mailbox(size=1, lossless=True)
    box.put(1)
    threading.Timer(0.05, box.close, kwargs={"discard": True}).start()
    with pytest.raises(Closed):
        box.put(2)
    with pytest.raises(Closed):
        box.get()


def test_a_reader_can_be_woken_for_something_else() -> None:
    box: Mailbox[int] = Mailbox(size=1, lossless=True)
    due: list[bool] = []
    waker = threading.Timer(0.05, lambda: (due.append(True), box.wake()))
    waker.start()
    begun = time.monotonic()
    assert box.get(30, unless=lambda: bool(due)) is None
    assert time.monotonic() - begun < 20
    box.put(1)
    assert box.get(0, unless=lambda: True) == 1, "an item comes first"
    waker.join()
