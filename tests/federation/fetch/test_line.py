# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes a server answers a delivery with, one thing comes of it."""

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from federation.fetch.line import ANSWER_BYTES, MOST_BYTES, Answer, Ended, Late, Line, NoHttp

REQUEST = b"POST / HTTP/1.1\r\n\r\n"
PIECES = (
    b"HTTP/1.1 202 Accepted\r\n",
    b"HTTP/1.0 200\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"A: b\r\n c\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"x" * 9_000,
    b"B: " + b"y" * MOST_BYTES,
)
bytes_of_peers = st.lists(
    st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=8
).map(b"".join)


class Wire(asyncio.Transport):
    """A connection of no network, which tells whether it was ended."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line, self.sent, self.is_ended = line, b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def abort(self) -> None:
        self.is_ended = True


async def _asked(said: bytes, cuts: list[int], *, closes: bool) -> tuple[Line, Wire, object]:
    line = Line()
    wire = Wire(line)
    line.connection_made(wire)
    end = asyncio.get_running_loop().time() + 60
    asking = asyncio.create_task(line.ask(REQUEST, end))
    await asyncio.sleep(0)
    edges = sorted({0, len(said), *(cut % (len(said) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        if not wire.is_ended:
            line.data_received(said[begin:end])
    if wire.is_ended or closes:
        line.connection_lost(None)
    else:
        line.late()
    try:
        return line, wire, await asking
    except (Ended, Late, NoHttp) as error:
        return line, wire, error


@given(bytes_of_peers, st.lists(st.integers(0, 100_000), max_size=4), st.booleans())
def test_every_answer_ends_in_a_status_or_an_error(
    said: bytes, cuts: list[int], closes: bool
) -> None:
    line, wire, came = asyncio.run(_asked(said, cuts, closes=closes))
    assert wire.sent == REQUEST
    assert not (line.is_reusable and (closes or wire.is_ended))
    if isinstance(came, Answer):
        assert came.status >= 200
        assert len(came.body) <= ANSWER_BYTES
    else:
        assert isinstance(came, Ended if closes and not wire.is_ended else Late | NoHttp)
