# SPDX-License-Identifier: Apache-2.0
"""The mentoring of the story: programmes, and who offers what."""

from web.demo.agencies import Agency
from web.demo.readers import Reader
from web.demo.story import DEE, INES, LOU, MAREK, SAM, password

PROGRAMME = {
    "title": "Permit mentors",
    "source": "Three months, twice a month. Come with a question, and leave with something to try.",
    "months": "3",
    "meetings": "2",
    "with_agencies": "yes",
}
_TIMES = {"languages": "en", "zone": "America/Chicago", "hours": "3", "capacity": "2"}
CARDS: dict[str, dict[str, str]] = {
    MAREK: {
        "skill.0": "Digital permits", "level.0": "3", "skill.1": "Plain language", "level.1": "2",
        "about": "I have seen two thousand applications come back, and most of them need not have.",
    },
    INES: {"skill.0": "Inspections", "level.0": "3", "about": "Ask me about inspections by video."},
    DEE: {"skill.0": "Counter services", "level.0": "3", "skill.1": "Queues", "level.1": "2"},
}  # fmt: skip


async def open_programme(admin: Reader) -> str:
    """Open a programme that looks beyond its agency; answers its path."""
    path = "/mentoring/programmes/new"
    page = await admin.browser.submit(path, path, **PROGRAMME)
    return page.path.partition("?")[0]


async def offer(mentor: Reader, key: str) -> None:
    """Make the card of somebody of the story."""
    path = "/mentoring/card"
    await mentor.browser.submit(path, path, **_TIMES, **CARDS[key], reach="agencies")


async def begin(agencies: dict[str, Agency]) -> None:
    """Everybody's cards, and then a programme at each agency."""
    for key in (*CARDS, LOU, SAM):
        agency, _, handle = key.partition("/")
        reader = Reader(agencies[agency], handle, password(agency))
        try:
            await reader.sign_in()
            if key in CARDS:
                await offer(reader, key)
            else:
                await open_programme(reader)
        finally:
            await reader.close()
