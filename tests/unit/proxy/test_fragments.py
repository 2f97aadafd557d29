"""What it costs to be sent a message in as many frames as it has bytes."""

import time
import tracemalloc

from tests.unit.proxy.conversation import Conversation
from tests.unit.proxy.wild import CONTINUATION, TEXT, framed

PIECE = 65_536


def crumbs(count: int, mask: bytes, payload: bytes) -> bytes:
    """A message without an end, in so many fragments."""
    more = framed(CONTINUATION, payload, mask, fin=False).raw
    return framed(TEXT, b"{", mask, fin=False).raw + more * count


def seconds(count: int, *, client: bool) -> float:
    """CPU time for so many fragments."""
    talk = Conversation()
    stream = crumbs(count, b"mask" if client else b"", b" ")
    send = talk.client if client else talk.controller
    began = time.process_time()
    for at in range(0, len(stream), PIECE):
        send(stream[at : at + PIECE])
    return time.process_time() - began


def test_their_number_costs_in_proportion() -> None:
    for client in (True, False):
        few = min(seconds(2_000, client=client) for _ in range(2))
        many = min(seconds(16_000, client=client) for _ in range(2))
        assert many < 20 * few, (client, few, many)  # 8 times is in proportion, 64 the square


def test_they_take_no_more_room_than_one_frame() -> None:
    for client, payload in ((True, b" "), (True, b""), (False, b" "), (False, b"")):
        talk = Conversation()
        stream = crumbs(10_000, b"mask" if client else b"", payload)
        tracemalloc.start()
        for at in range(0, len(stream), PIECE):
            (talk.client if client else talk.controller)(stream[at : at + PIECE])
            talk.to_client = talk.to_controller = b""
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < 400_000, (client, payload, kept)
