"""A close while a long frame streams by to the client."""

import pytest

from tests.unit.proxy.conversation import Conversation
from tests.unit.proxy.wild import CLOSE, CONTINUATION, PING, TEXT, framed, heard


@pytest.mark.parametrize("who", ["client", "jimm"])
def test_a_long_frame_goes_on_to_its_end_when_somebody_closes(who: str) -> None:
    talk = Conversation()
    first = framed(TEXT, b'{"request-id":1,"response":{"a":"' + b"x" * 450_000, fin=False).raw
    between, second = framed(PING, b"between").raw, framed(CONTINUATION, b'"}}').raw
    talk.controller(first[:400_000])
    assert talk.to_client == first[:400_000]
    if who == "client":
        talk.client(framed(CLOSE, b"\x03\xe8bye", b"mask").raw)
    else:
        talk.obey(talk.pipe.close(1001, "over"))
    talk.controller(first[400_000:])
    talk.controller(between)
    talk.controller(second)
    found = heard(talk.to_client, masked=False)
    assert found.frames[0].raw == first
    assert [each.opcode for each in found.frames[1:]] == [CLOSE]
