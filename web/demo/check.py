# SPDX-License-Identifier: Apache-2.0
"""Plays the story on fresh agencies and says of each step if it held."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import httpx
import typer

from web.demo import (
    steps_calendar,
    steps_client,
    steps_federation,
    steps_hub,
    steps_kills,
    steps_library,
    steps_mentoring,
    steps_moderation,
    steps_policy,
    steps_reliability,
    steps_repair,
    steps_reviews,
)
from web.demo.agencies import CommandFailed
from web.demo.neighbours import NEIGHBOURS
from web.demo.nursery import Hatched
from web.demo.peer import Peer
from web.demo.scene import SIGNS, STRANGER, NotHeld, Scene
from web.demo.town import Stopped, stop_at_signals, town, unless
from web.demo.visitor import Unexpected
from web.demo.waiting import TooLate

Step = Callable[[Scene], Awaitable[str]]
# However a step goes wrong, it ends: no wait in it is longer than a minute, and they are few.
LONGEST_STEP = 180.0

STEPS: dict[str, Step] = {
    "federation.follow_accepted": steps_federation.follow_accepted,
    "federation.backfill": steps_federation.backfill,
    "federation.thread_arrives": steps_federation.thread_arrives,
    "federation.reply_arrives": steps_federation.reply_arrives,
    "federation.nested_reply": steps_federation.nested_reply,
    "federation.endorsement_counted": steps_federation.endorsement_counted,
    "federation.endorsement_withdrawn": steps_federation.endorsement_withdrawn,
    "federation.edit_followed": steps_federation.edit_followed,
    "federation.delete_followed": steps_federation.delete_followed,
    "federation.report_arrives": steps_moderation.report_arrives,
    "federation.shut_out_holds": steps_moderation.shut_out_holds,
    "policy.inbox_refused": steps_policy.inbox_refused,
    "policy.fetch_refused": steps_policy.fetch_refused,
    "policy.knock_recorded": steps_policy.knock_recorded,
    "policy.agencies_forum_closed": steps_policy.agencies_forum_closed,
    "library.practice_travels": steps_library.practice_travels,
    "library.replication_counted": steps_library.replication_counted,
    "library.adaptation_known": steps_library.adaptation_known,
    "library.change_taken_over": steps_library.change_taken_over,
    "library.warning_follows": steps_library.warning_follows,
    "library.thread_distilled": steps_library.thread_distilled,
    "library.forum_withdraws": steps_library.forum_withdraws,
    "library.reviewed": steps_reviews.reviewed,
    "library.draft_reviewed": steps_reviews.draft_reviewed,
    "calendar.webinar_fills": steps_calendar.webinar_fills,
    "calendar.place_moves_up": steps_calendar.place_moves_up,
    "calendar.change_travels": steps_calendar.change_travels,
    "calendar.series_travels": steps_calendar.series_travels,
    "calendar.calling_off_travels": steps_calendar.calling_off_travels,
    "mentoring.matched": steps_mentoring.matched,
    "mentoring.they_meet": steps_mentoring.they_meet,
    "mentoring.seen_by_nobody_else": steps_mentoring.seen_by_nobody_else,
    "client.forum_followed": steps_client.forum_followed,
    "client.thread_read": steps_client.thread_read,
    "client.reply_arrives": steps_client.reply_arrives,
    "client.endorsement_counted": steps_client.endorsement_counted,
    "client.notice_told": steps_client.notice_told,
    "client.stream_tells": steps_client.stream_tells,
    "hub.resource_travels": steps_hub.resource_travels,
    "hub.file_checked": steps_hub.file_checked,
    "hub.lineage_shown": steps_hub.lineage_shown,
    "hub.new_version_told": steps_hub.new_version_told,
    "hub.use_told": steps_hub.use_told,
    "reliability.killed_in_fanout": steps_kills.killed_in_fanout,
    "reliability.killed_in_inbox": steps_kills.killed_in_inbox,
    "reliability.offline_catches_up": steps_reliability.offline_catches_up,
    "reliability.digest_repairs": steps_repair.digest_repairs,
}


@dataclass(frozen=True)
class Report:
    """How one step went; `detail` quotes what was seen."""

    step: str
    ok: bool
    seconds: float
    detail: str


def names() -> list[str]:
    """Every step, in order."""
    return list(STEPS)


async def run(
    hatch: Callable[[], Hatched], *, only: str, sabotage: str, as_json: bool, first_port: int = 0
) -> bool:
    """Play the steps whose name begins with `only`; answers whether all of them held."""
    stop = stop_at_signals()
    async with (
        town((*SIGNS, *NEIGHBOURS), first_port, (STRANGER,), hatch) as (agencies, ports),
        Peer(STRANGER, ports[STRANGER]) as peer,
    ):
        scene = Scene(agencies["riverton"], agencies["lakeside"], agencies["elsewhere"], peer)
        scene.neighbours = {sign.key: agencies[sign.key] for sign in NEIGHBOURS}
        try:
            return await unless(stop, _play(scene, only, sabotage, as_json=as_json))
        except Stopped:
            return False
        finally:
            await scene.close()


async def _play(scene: Scene, only: str, sabotage: str, *, as_json: bool) -> bool:
    if not as_json:
        typer.echo("Starting three agencies on this machine…", err=True)
    await scene.prepare(sabotage)
    held = True
    for name, step in STEPS.items():
        if name.startswith(only):
            report = await _report(scene, name, step)
            typer.echo(json.dumps(asdict(report), ensure_ascii=False) if as_json else _line(report))
            held = held and report.ok
    return held


async def _report(scene: Scene, name: str, step: Step) -> Report:
    began = time.monotonic()
    try:
        async with asyncio.timeout(LONGEST_STEP) as limit:
            ok, detail = True, await step(scene)
    except (NotHeld, TooLate, Unexpected, CommandFailed) as error:
        ok, detail = False, str(error)
    except (httpx.HTTPError, TimeoutError) as error:
        ok, detail = False, f"{type(error).__name__} {error}".strip()
        if limit.expired():
            detail = f"it was not over within {LONGEST_STEP:.0f} s"
    return Report(name, ok, round(time.monotonic() - began, 2), detail)


def _line(report: Report) -> str:
    held = "ok  " if report.ok else "FAIL"
    return f"{held} {report.step:<34} {report.seconds:6.2f} s  {report.detail}"
