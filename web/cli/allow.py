# SPDX-License-Identifier: Apache-2.0
"""The list of agencies at the command line."""

from typing import Annotated, Any

import typer

from server import peers
from server.errors import Invalid, NotFound
from server.instance import Instance
from server.peers import Decision, RuleDraft
from storage.peers import PolicyRule, Verdict
from web.cli.desk import Json, answer, perform

app = typer.Typer(help="Decide which agencies to share with.", no_args_is_help=True)
Rule = Annotated[
    str, typer.Argument(metavar="RULE", help="A host, or *.example.gov for all below.")
]


@app.command("add")
def add(
    rule: Rule,
    reason: Annotated[
        str | None, typer.Option(help="Why, for the record; without it, the one there stays.")
    ] = None,
    json: Json = False,
) -> None:
    """Let an agency in."""

    async def task(instance: Instance) -> PolicyRule:
        async with instance.transaction() as tx:
            return await peers.add_rule(tx, None, RuleDraft(rule, Verdict.ALLOW, reason))

    made = perform(task)
    answer(_data(made), f"{made.pattern} is allowed.", as_json=json)


@app.command("remove")
def remove(rule: Rule, json: Json = False) -> None:
    """Take an allow rule back."""
    pattern = peers.bare_pattern(rule)

    async def task(instance: Instance) -> PolicyRule:
        async with instance.transaction() as tx:
            for held in await peers.rules(tx.session):
                if held.pattern == pattern and held.verdict == Verdict.ALLOW:
                    return await peers.remove_rule(tx, None, held.id)
        raise NotFound(f"No rule allows {pattern or rule}.")

    gone = perform(task)
    answer(_data(gone), f"{gone.pattern} is no longer allowed.", as_json=json)


@app.command("list")
def list_(json: Json = False) -> None:
    """List the rules, those that deny too."""

    async def task(instance: Instance) -> list[PolicyRule]:
        async with instance.reading() as session:
            return await peers.rules(session)

    found = perform(task)
    lines = [f"{rule.verdict}\t{rule.pattern}\t{rule.reason}".rstrip() for rule in found]
    answer([_data(rule) for rule in found], "\n".join(lines), as_json=json)


@app.command("test")
def judge(
    host: Annotated[str, typer.Argument(metavar="HOST", help="The host in question.")],
    json: Json = False,
) -> None:
    """Say whether a host is let in, and why."""
    if not peers.bare_host(host):
        raise Invalid(message="Name a host, such as lakeside.example.gov.")

    async def task(instance: Instance) -> Decision:
        mode = instance.settings.federates
        async with instance.reading() as session:
            return await peers.judge(session, mode, host, instance.clock.now())

    decision = perform(task)
    said = f"{host} is {'allowed' if decision.allowed else 'not allowed'}. {decision.because}"
    data = {"host": host, "allowed": decision.allowed, "because": decision.because}
    answer(data, said, as_json=json)


def _data(rule: PolicyRule) -> dict[str, Any]:
    return {
        "rule": rule.pattern,
        "verdict": rule.verdict,
        "reason": rule.reason,
        "expires": rule.expires.isoformat() if rule.expires else None,
        "added_by": rule.added_by,
    }
