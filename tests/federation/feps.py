# SPDX-License-Identifier: Apache-2.0
"""The enhancement proposals that are claimed, and what a peer sees of each.

Each has a test marked `@pytest.mark.fep` that drives a peer through it; `make check` looks.
FEDERATION.md prints this list with the tests: `python -m tests.federation.feps` writes it anew.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import ROOT, modules, tree

PAGE = ROOT / "FEDERATION.md"
# Where tests act as another server; a test of a function alone shows no peer anything.
PEERS = ("tests/hostile/", "tests/journeys/", "tests/peers/")
BLOCK = re.compile(r"(<!-- feps -->\n).*?(<!-- /feps -->)", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """What a proposal is about, and what a peer sees of it here."""

    about: str
    seen: str


CLAIMS = {
    "044f": Claim(
        "leave to quote",
        "Public posts say in `interactionPolicy` that anybody may quote them. A `QuoteRequest` is "
        "answered with a stamp, or with a reason why not; the stamp is there while both posts are, "
        "and until the author takes it back. A quote that comes is shown by a stamp that stands.",
    ),
    "1b12": Claim(
        "group federation",
        "A forum is a Group. It accepts a Follow, and wraps every valid activity, unchanged, in an "
        "Announce; its stewards are listed in the collection that `attributedTo` names.",
    ),
    "0837": Claim(
        "marketplace",
        "An agency's mentors are offers in one collection, for listed agencies only. Somebody asks "
        "by `Offer{Agreement}`; the mentor accepts or rejects, and either may undo it.",
    ),
    "11dd": Claim(
        "who a context is of",
        "A `context` says in `attributedTo` that it is the forum's, and replies inherit it.",
    ),
    "4f05": Claim(
        "soft deletion",
        "A Tombstone is served for what is deleted, 404 for what never was. A Delete by the author "
        "or a steward is believed; one by another actor of the post's own server counts once that "
        "server answers with a Tombstone, 404 or 410.",
    ),
    "2c59": Claim(
        "WebFinger address of an actor",
        "`webfinger` on every actor, which WebFinger answers with the same words.",
    ),
    "3b86": Claim(
        "activity intents",
        "WebFinger names pages for following and for looking at anything by its address; nothing "
        "is done before its button is pressed.",
    ),
    "521a": Claim(
        "public keys of an actor", "Ed25519 in `assertionMethod`, beside RSA in `publicKey`."
    ),
    "5feb": Claim(
        "consent to search",
        "`indexable` is sent on actors. Of people who do not say it, only what they post in forums "
        "of ours can be found here.",
    ),
    "67ff": Claim("FEDERATION.md", "This page."),
    "7628": Claim(
        "moving",
        "Forums elsewhere that move are followed there, and people are shown where they are now, "
        "once both sides say so at their own origins. Nobody moves from here.",
    ),
    "7888": Claim(
        "context", "Every post has the `context` of its thread, an address that answers."
    ),
    "844e": Claim(
        "what software implements",
        "`generator.implements` names RFC 9421 on every actor; who says it too is signed to so.",
    ),
    "8a8e": Claim(
        "events",
        "An event is an Event with its times, zone and places; a `Join` is answered by the "
        "organiser's server with `Accept`, `TentativeAccept` or `Reject`.",
    ),
    "8b32": Claim(
        "integrity proofs",
        "`eddsa-jcs-2022` on every activity and every post we send; checked on what is relayed.",
    ),
    "8fcf": Claim(
        "follower synchronisation",
        "Deliveries of a forum to software other than ours carry `Collection-Synchronization`; "
        "theirs is looked at once an hour for each forum.",
    ),
    "9967": Claim(
        "polls",
        "A thread with a poll is a Question with `oneOf` or `anyOf`, `endTime`, `closed` and "
        "`votersCount`. Votes go to its author's server, as Notes with a name and nothing else; "
        "those that come are counted once for each person, and the counts told by Updates.",
    ),
    "b2b8": Claim(
        "long-form text",
        "A thread is an Article with `name`, `summary`, `content`, `source` and `preview`.",
    ),
    "d556": Claim(
        "the server's actor",
        "WebFinger of our address leads to an Application at `/instance` (also FEP-2677).",
    ),
    "e232": Claim(
        "object links",
        "A link in a text to a post known here is also a `Link` in `tag`, by the post's own id.",
    ),
    "f1d5": Claim("NodeInfo", "2.0 and 2.1, found by `/.well-known/nodeinfo`."),
    "f228": Claim(
        "backfill",
        "`context` is the collection of a thread's posts, oldest first; we serve it and fill "
        "copies from it, or from `replies`.",
    ),
    "fe34": Claim(
        "origin-based security",
        "Ids, authors and keys must share an origin; what another server passes on is believed "
        "on a proof or from its origin.",
    ),
}
NOT_YET: dict[str, str] = {}


def marked() -> dict[str, set[str]]:
    """Each proposal that tests are marked with, and those tests as `path::name`."""
    found: dict[str, set[str]] = {}
    for path in modules():
        is_test = path.parts[0] == "tests"
        # Far quicker than to understand a module.
        if is_test and "pytest.mark.fep" in (ROOT / path).read_text(encoding="utf-8"):
            for fep, name in _marks(tree(path)):
                found.setdefault(fep, set()).add(f"{path}::{name}" if name else str(path))
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from ((fep, node.name) for fep in _named(decorator))
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield from ((fep, "") for fep in _named(node.value))


def _named(node: ast.expr) -> Iterator[str]:
    """The proposals of `pytest.mark.fep("…")`, or of each in a list of marks."""
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    for call in calls:
        if ast.unparse(call.func) == "pytest.mark.fep":
            yield from (ast.literal_eval(argument) for argument in call.args)


def driving(tests: set[str]) -> list[str]:
    """Those of the tests that act as another server."""
    return sorted(test for test in tests if test.startswith(PEERS))


def table(marks: dict[str, set[str]]) -> str:
    """The claims as FEDERATION.md prints them."""
    lines = ["| FEP | what a peer sees | shown by |", "|---|---|---|"]
    for fep, claim in sorted(CLAIMS.items()):
        shown = driving(marks.get(fep, set())) or sorted(marks.get(fep, set()))
        path, _, name = shown[0].partition("::") if shown else ("", "", "")
        test = f"[{name.removeprefix('test_').replace('_', ' ') or Path(path).stem}]({path})"
        about = f"[FEP-{fep}](https://w3id.org/fep/{fep}): {claim.about}"
        lines.append(f"| {about} | {claim.seen} | {test} |")
    waiting = "; ".join(
        f"[FEP-{fep}](https://w3id.org/fep/{fep}) ({why})" for fep, why in sorted(NOT_YET.items())
    )
    return "\n".join(lines) + (f"\n\nNot yet: {waiting}.\n" if waiting else "\n")


def with_table(page: str) -> str:
    """The page with its table as the claims and the marks make it now."""
    return BLOCK.sub(lambda found: found[1] + table(marked()) + found[2], page)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
