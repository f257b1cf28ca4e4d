# SPDX-License-Identifier: Apache-2.0
"""What an inbox answers while a sender's own server has trouble."""

from tests.hostile.commons import Commons, like
from tests.hostile.peer import Page, ScriptedPeer

ANSWERS = (200, 204, 304, 400, 401, 403, 404, 406, 410, 418, 429, 451, 500, 501, 502, 503, 504)


async def test_passing_trouble_is_never_told_as_final(gh: Commons, evil: ScriptedPeer) -> None:
    """Whatever the key's server says, a sender is never told 410 or 418, which are for good."""
    told: dict[int, int] = {}
    for status in ANSWERS:
        actor = evil.actor(f"/u/a{status}")
        honest = evil.pages[f"/u/a{status}"]
        evil.pages[f"/u/a{status}"] = Page(b"What now?", status, "text/plain")
        answer = await gh.deliver(evil, like(actor, gh.thread.uri))
        told[status] = answer.status_code
        if answer.status_code in {429, 503}:
            assert int(answer.headers["Retry-After"]) >= 1
        else:
            assert answer.status_code == 401
        # Nothing stays behind: the same delivery is taken as soon as the trouble is over.
        evil.pages[f"/u/a{status}"] = honest
        gh.clock.turn(minutes=11)
        again = await gh.deliver(evil, like(actor, gh.thread.uri))
        assert again.status_code == 202, status
    assert {status for status, answered in told.items() if answered == 503} == {
        500, 501, 502, 503, 504,
    }  # fmt: skip
    assert told[429] == 429
