# SPDX-License-Identifier: Apache-2.0
"""The benchmarks still measure what they say, at a tiny size."""

import asyncio
import json
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench import fanout, idle, ingest, pages, report, town
from bench.__main__ import main
from bench.ceilings import Limits, mean
from bench.elsewhere import holds
from bench.followers import following
from bench.ingest import Intake
from bench.limits import crypto
from bench.limits.inserts import InsertSpeed
from bench.result import Line
from bench.setting import Bench
from bench.sights import SIGHTS, Reading
from server import text
from storage import search
from storage.forums import Forum
from storage.posts import Post
from storage.search import INDEX, SearchDocument

POSTS = 60


async def test_a_town_is_filled_as_the_product_would_have(
    database_url: str, tmp_path: Path
) -> None:
    place = await town.build(database_url, tmp_path / "state", POSTS)
    instance = await town.opened(place)
    async with instance.transaction() as tx:
        held = (await tx.session.execute(select(func.count()).select_from(Post))).scalar_one()
        told = (await tx.session.execute(select(func.sum(Forum.post_count)))).scalar_one()
        assert held == told == POSTS
        opener = await tx.session.get_one(Post, place.short[0])
        answers = select(func.count()).where(Post.thread_id == opener.id, Post.id != opener.id)
        assert (await tx.session.execute(answers)).scalar_one() == opener.reply_count == 20
        assert opener.html == await asyncio.to_thread(text.render, opener.source)
        indexed = select(INDEX.c.title, INDEX.c.body).where(INDEX.c.rowid == opener.id)
        loaded = (await tx.session.execute(indexed)).one()
        plain = text.plain(opener.html)
        await search.put(tx.session, SearchDocument(opener.id, opener.title, plain))
        assert (await tx.session.execute(indexed)).one() == loaded
    await instance.close()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where towns are kept from one measurement to the next."""
    return tmp_path_factory.mktemp("towns")


def test_a_served_town_is_measured(tmp_path: Path, cache: Path) -> None:
    bench = Bench([POSTS], ["sqlite"], cache, scale=0.003, quick=True)
    with closing(bench), following(bench, "sqlite", tmp_path / "run", 3) as at:
        course = fanout.send_one(at, lambda: 0.0)
        assert course.measured.done == len(at.hosts)
        assert course.twice == 0
        sample = at.elsewhere.arrivals().samples[0]
        assert holds(sample, at.keys)
        assert not holds(sample.replace("permit", "licence"), at.keys)
        cookie = asyncio.run(pages.session_of(at.place))
        reading = Reading(at.product, at.place, cookie, at.elsewhere, count(1))
        signed_in = next(sight for sight in SIGHTS if sight.name == "thread of 20, signed in")
        sighted, again = pages.measure(bench, "sqlite", [reading, reading], signed_in)
        assert sighted.measured.done == again.measured.done >= 8
        # Nobody answers with a page for less than with nothing.
        assert sighted.measured.per_core < sighted.limit
        intake = Intake(at.product, at.elsewhere, at.place, at.place.short[0])
        ingest.make_known(intake)
        taken = ingest.burst(bench, "sqlite", intake)
        assert taken.done == bench.count(ingest.DELIVERIES)
        assert taken.cpu > 0


@pytest.mark.parametrize(
    "line",
    [
        "rsa 2048 bits 0.000243s 0.000016s   4110.0  61000.5",
        "rsa  2048 bits 0.000243s 0.000016s 0.000017s 0.000250s   4110.0  61000.5  58000.0 4000.0",
    ],
)
def test_the_speed_of_rsa_is_read_from_what_either_version_prints(line: str) -> None:
    found = crypto.read(f"Doing 2048 bits private rsa's for 1s: 4110 ...\n  sign  verify\n{line}\n")
    assert found is not None
    assert (found.signs, found.verifies) == (4110.0, 61000.5)


def test_a_limit_is_the_mean_of_what_a_thing_costs_before_and_after() -> None:
    speed = InsertSpeed(50_000, 20.0), InsertSpeed(25_000, 40.0)
    one = Limits(signs=4_000, page=30_000, inserts={"sqlite": speed[0]})
    other = Limits(signs=2_000, page=30_000, inserts={"sqlite": speed[1]})
    found = mean(one, other)
    assert found.signs == pytest.approx(1e6 / ((250 + 500) / 2))
    assert found.page == pytest.approx(30_000)
    assert found.inserts["sqlite"].cpu_us == 30.0


@pytest.mark.parametrize(
    ("ratio", "must", "at_most", "mark"),
    [
        (0.31, 0.30, False, "held"),
        (0.29, 0.30, False, "NOT HELD"),
        (1.2, 1.3, True, "held"),
        (1.4, 1.3, True, "NOT HELD"),
        (0.5, None, False, ""),
    ],
)
def test_a_line_says_whether_its_target_is_held(
    ratio: float, must: float | None, at_most: bool, mark: str
) -> None:
    found = Line("ingest", "sqlite", 1_000, "9/s", ratio=ratio, must=must, at_most=at_most)
    assert report.line(found).rstrip().endswith(mark or "0.500")
    assert ("NOT" in report.line(found)) == (mark == "NOT HELD")


def test_what_cannot_be_measured_is_said_and_is_no_success(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = tmp_path / "report.json"
    asked = ["--quick", "--only", "start", "--sizes", "60", "--databases", "sqlite"]
    monkeypatch.setattr(idle, "STARTS", 0)
    monkeypatch.setattr(town, "cache", lambda: cache)
    assert main([*asked, "--report", str(kept)]) == 1
    assert "could not be measured" in capsys.readouterr().out
    assert json.loads(kept.read_text())["not measured"]
