# SPDX-License-Identifier: Apache-2.0
"""What must hold once everything is up and quiet again.

The numbers are those of the list of invariants after quiescence:
1 views equal · 2 nothing twice · 3 nothing where it may not be · 4 no deleted words ·
5 what was accepted is settled · 6 one endorsement a person · 7 no check skipped (noted while it
runs, in `Node`) · 8 never older over newer (`Order`) · 9 queues empty · 10 the record of decisions
only grows, what stood in it stands there still, and it is a chain of hashes without gaps (`Order`)
· 11 a healthy pair is quick (`must_be_quick`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from server.chain import ends
from server.chain.checking import Link, Walk
from server.chain.ends import Noted
from tests.simulation.history import History
from tests.simulation.node import Node
from tests.simulation.views import View, dump, number, rows, view
from tests.simulation.world import Place, World

# A node's own loops and lanes; more than this means that something piles up.
MOST_TASKS = 60
MOST_IN_FLIGHT = 16

# A lane that the newest rows are not for may stand where it last sent something.
_LANES_BEHIND = """
SELECT count(*) FROM lanes l WHERE EXISTS (SELECT 1 FROM log g WHERE g.seq > l.cursor AND (
  EXISTS (SELECT 1 FROM log_recipients r WHERE r.seq = g.seq AND r.lane_id = l.id)
  OR (g.form != 'direct' AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.lane_id = l.id
      AND s.audience = g.audience AND s.from_seq <= g.seq
      AND (s.until_seq IS NULL OR g.seq < s.until_seq)))))
"""
_MOMENTS = """
SELECT p.uri, coalesce(p.updated, '') AS updated, p.state, p.source, p.reason,
       f.peer AS home, m.peer AS author
FROM posts p JOIN forums f ON f.id = p.forum_id JOIN members m ON m.id = p.author_id
"""


def differences(world: World) -> list[str]:
    """1: each copy against its home, one line for each thing that differs."""
    found: list[str] = []
    for place in world.places:
        home = view(place.home, place.uri)
        for node in world.agencies:
            if node is not place.home and _follows(node, place):
                found += _differences(node, place, home, view(node, place.uri))
    return found


def _follows(node: Node, place: Place) -> bool:
    question = "SELECT copy_state FROM forums WHERE uri = ?"
    return [row["copy_state"] for row in rows(node, question, place.uri)] == ["current"]


def _differences(node: Node, place: Place, home: View, copy: View) -> Iterator[str]:
    where = f"{node.name}'s copy of {place.uri}"
    for uri in sorted(home.posts.keys() - copy.posts.keys()):
        held = copy.unsettled.get(uri) or ("deleted" if uri in copy.deleted else "missing")
        yield f"1: {uri} is {held} in {where}"
    for uri in sorted(copy.posts.keys() - home.posts.keys()):
        held = "deleted" if uri in home.deleted else "missing"
        yield f"1: {uri} is {held} at its home, but live in {where}"
    for uri in sorted(home.posts.keys() & copy.posts.keys()):
        yield from (
            f"1: {uri} has {name} {copy.posts[uri][name]!r} in {where}, {value!r} at its home"
            for name, value in home.posts[uri].items()
            if copy.posts[uri][name] != value
        )
    for uri, state in sorted(copy.unsettled.items()):
        if state == "sent" and uri not in home.posts:
            yield f"1: {uri} is still only sent in {where}"


def check(world: World, history: History) -> list[str]:
    """Everything that does not hold, one line each."""
    found = differences(world)
    for node in world.nodes:
        found += node.complaints
        found += _twice(node)
        found += _queues(node)
        found += _counts(node)
        found += _notices(node)
    found += _accepted(world)
    found += _deleted_words(world, history)
    found += _lost(history)
    found += _leaked(world)
    if world.network.most_in_flight > MOST_IN_FLIGHT:
        found.append(f"window: {world.network.most_in_flight} deliveries at once to one host")
    return found


def _twice(node: Node) -> Iterator[str]:
    """2 and 6: objects, notices and removals stand once; one endorsement a person."""
    questions = {
        "object": "SELECT uri AS what FROM posts GROUP BY uri HAVING count(*) > 1",
        "notice": "SELECT member_id || ' ' || kind || ' ' || post_id AS what FROM notifications "
        "GROUP BY member_id, kind, post_id, actor_id HAVING count(*) > 1",
        "removal in the record": "SELECT subject AS what FROM audit WHERE verb = 'post.removed' "
        "GROUP BY subject HAVING count(*) > 1",
        "endorsement": "SELECT post_id || ' ' || member_id AS what FROM endorsements "
        "WHERE active GROUP BY post_id, member_id HAVING count(*) > 1",
    }
    for kind, question in questions.items():
        for row in rows(node, question):
            yield f"2: {node.name} has this {kind} twice: {row['what']}"


def _queues(node: Node) -> Iterator[str]:
    """9: nothing waits any more, and few tasks are left."""
    questions = {
        "facts not told": "SELECT count(*) FROM facts WHERE done IS NULL",
        "activities not worked on": "SELECT count(*) FROM inbox WHERE state = 'waiting'",
        "entries parked": "SELECT count(*) FROM parked",
        "lanes behind": _LANES_BEHIND,
        "lanes that have to catch up": "SELECT count(*) FROM lanes WHERE catch_up IS NOT NULL",
    }
    for what, question in questions.items():
        if number(node, question):
            yield f"9: {node.name} has {number(node, question)} {what}"
    if len(node.tasks) > MOST_TASKS:
        yield f"9: {node.name} has {len(node.tasks)} tasks"


def _counts(node: Node) -> Iterator[str]:
    """1: the stored counters are what counting gives."""
    question = """
        SELECT p.uri, p.endorsement_count AS stored, (SELECT count(*) FROM endorsements e
        WHERE e.post_id = p.id AND e.active) AS counted FROM posts p WHERE stored != counted
        UNION ALL
        SELECT p.uri, p.reply_count, (SELECT count(*) FROM posts r WHERE r.id != p.id
        AND (r.parent_id = p.id OR (p.kind = 'thread' AND r.thread_id = p.id))
        AND r.state IN ('live', 'sent')) AS counted FROM posts p WHERE p.reply_count != counted
        AND p.state != 'deleted'
        UNION ALL
        SELECT f.uri, f.post_count, (SELECT count(*) FROM posts p WHERE p.forum_id = f.id
        AND p.state IN ('live', 'sent')) AS counted FROM forums f WHERE f.post_count != counted
    """
    for row in rows(node, question):
        yield f"1: {node.name} counts {row['stored']} for {row['uri']}, not {row['counted']}"


def _notices(node: Node) -> Iterator[str]:
    """2: who was answered or endorsed was told of it, exactly once."""
    question = """
        SELECT asked.uri AS person, r.uri AS post, (SELECT count(*) FROM notifications n
        WHERE n.member_id = asked.id AND n.post_id = r.id AND n.kind != 'endorsement') AS told
        FROM posts r JOIN posts p ON p.id IN (r.parent_id, r.thread_id) AND p.id != r.id
        JOIN members asked ON asked.id = p.author_id AND asked.peer IS NULL
        WHERE r.state IN ('live', 'sent') AND r.author_id != asked.id AND told != 1
        UNION ALL
        SELECT a.uri, p.uri, (SELECT count(*) FROM notifications n WHERE n.member_id = a.id
        AND n.post_id = p.id AND n.actor_id = e.member_id AND n.kind = 'endorsement') AS told
        FROM endorsements e JOIN posts p ON p.id = e.post_id AND p.state != 'deleted'
        JOIN members a ON a.id = p.author_id AND a.peer IS NULL
        WHERE e.active AND e.member_id != a.id AND told != 1
    """
    for row in rows(node, question):
        yield f"2: {row['person']} was told {row['told']} times of {row['post']}"


def _accepted(world: World) -> Iterator[str]:
    """5: whatever was answered 202 stands in the inbox, settled, with a reason if not applied."""
    held = {
        node.host: {row["activity_id"]: row for row in rows(node, "SELECT * FROM inbox")}
        for node in world.nodes
    }
    for asked, _ in world.network.accepted:
        identifier = orjson.loads(asked.body).get("id")
        row: dict[str, Any] | None = held[asked.target].get(identifier)
        if row is None:
            yield f"5: {asked.target} accepted {identifier} and does not hold it"
        elif row["state"] == "waiting":
            yield f"5: {asked.target} has not worked on {identifier}: {row['note']}"
        elif row["state"] != "applied" and not row["note"]:
            yield f"5: {asked.target} gives no reason for not applying {identifier}"


def _deleted_words(world: World, history: History) -> Iterator[str]:
    """4: the words of a post that its home deleted stand in no database."""
    dumps = {node.name: dump(node) for node in world.nodes}
    for written in history.written.values():
        if written.uri not in view(written.place.home, written.place.uri).deleted:
            continue
        for name, text in dumps.items():
            for word in written.words:
                if word in text:
                    line = next(line for line in text.splitlines() if word in line)
                    yield f"4: {name} still holds {word} of {written.uri}: {line[:300]}"


def _lost(history: History) -> Iterator[str]:
    """A post that its author saw posted stands at its home, is a tombstone, or was refused."""
    for written in history.written.values():
        home = view(written.place.home, written.place.uri)
        own = view(written.node, written.place.uri)
        if written.uri in home.posts or written.uri in home.deleted:
            continue
        if own.unsettled.get(written.uri) == "refused" or written.uri in own.deleted:
            continue
        state = own.unsettled.get(written.uri, "live" if written.uri in own.posts else "missing")
        yield f"lost: {written.uri} is unknown at its home and {state} at its author's"


def _leaked(world: World) -> Iterator[str]:
    """3: who is on no list holds and hears nothing of what is posted."""
    if world.stranger is None:
        return
    held, heard = dump(world.stranger), world.network.heard.decode("utf-8", "replace")
    for place in world.places:
        for where, text in (("the database", held), ("the traffic", heard)):
            if place.word in text:
                at = text.index(place.word)
                yield f"3: {place.word} is in {where} of the stranger: {text[at - 100 : at + 100]}"


_CHAIN = """
SELECT s.place, s.digest, s.hash, coalesce(a.id, 0) AS id, a.at, a.verb, a.actor, a.subject,
       a.detail, a.salt, NULL AS erased
FROM audit_seals s LEFT JOIN audit a ON a.id = s.entry_id ORDER BY s.place
"""
_UNSEALED = "SELECT count(*) FROM audit WHERE id NOT IN (SELECT entry_id FROM audit_seals)"


def broken_chain(node: Node) -> Iterator[str]:
    """10: what does not fit in a node's record, and in how it ended when it was looked over."""
    checks = rows(node, "SELECT place, hash FROM audit_checks")
    noted = [Noted(row["place"], row["hash"], "at a check") for row in checks]
    walk = Walk.along(node.settings.origin, [*noted, *ends.noted(node.settings.state)])
    for row in rows(node, _CHAIN):
        row["at"] = datetime.fromisoformat(row["at"] or "2000-01-01").replace(tzinfo=UTC)
        if fault := walk.step(Link(**row)):
            yield f"10: in the record of {node.name}: {fault}"
            return
    if missing := walk.end():
        yield f"10: in the record of {node.name}: {missing[1]}"
    if number(node, _UNSEALED):
        yield f"10: {node.name} has {number(node, _UNSEALED)} lines in its record without a seal"
    for row in rows(node, "SELECT fault FROM audit_checks WHERE broken IS NOT NULL"):
        yield f"10: {node.name} found this in its record: {row['fault']}"


class Order:
    """8 and 10: looks again and again, and notes what ever went back, or was rewritten."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[tuple[str, str], tuple[str, str]] = {}
        self._recorded: dict[str, dict[int, dict[str, Any]]] = {}
        self.found: list[str] = []

    def look(self) -> None:
        """Compare what every node holds now with what it held before."""
        for node in self._world.nodes:
            self._look_at_the_record(node)
            for row in rows(node, _MOMENTS):
                key = (node.name, row["uri"])
                updated, state = self._seen.get(key, ("", ""))
                if state == "deleted" and row["state"] != "deleted":
                    self.found.append(f"8: {row['uri']} came back to life at {node.name}")
                if row["updated"] < updated and not self._is_put_back(row):
                    self.found.append(f"8: {row['uri']} became older at {node.name}")
                self._seen[key] = (row["updated"], row["state"])

    def _look_at_the_record(self, node: Node) -> None:
        """What was decided, by whom, about what: new lines come after those that stand there."""
        now = {row["id"]: row for row in rows(node, "SELECT * FROM audit ORDER BY id")}
        before = self._recorded.get(node.name, {})
        for entry, line in before.items():
            if now.get(entry) != line:
                self.found.append(f"10: {node.name} no longer has this in its record: {line}")
        late = sorted(
            entry for entry in now.keys() - before.keys() if entry < max(before, default=0)
        )
        if late:
            self.found.append(f"10: {node.name} has written into its record afterwards: {late}")
        if now != before:
            self.found += broken_chain(node)
        self._recorded[node.name] = now

    def _is_put_back(self, row: dict[str, Any]) -> bool:
        """Whether this is a post of the node's own people that says what its home keeps of it.

        So it is where the home did not take an edit, and nowhere else.
        """
        home = next((node for node in self._world.nodes if node.host == row["home"]), None)
        if home is None or row["author"] is not None or not row["reason"]:
            return False
        kept = [one for one in rows(home, _MOMENTS) if one["uri"] == row["uri"]]
        return [(one["updated"], one["source"]) for one in kept] == [
            (row["updated"], row["source"])
        ]
