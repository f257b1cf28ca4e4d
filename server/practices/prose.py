# SPDX-License-Identifier: Apache-2.0
"""A record as Markdown, section by section, for posts, files and comparing."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.practices import terms
from server.practices.change import change_of, percent, shown
from server.practices.record import Outcome, Point, Record, Step


@dataclass(frozen=True)
class Section:
    """A part of a practice under its heading; `name` is also its anchor on the page."""

    name: str
    title: str
    text: str


def sections(record: Record) -> list[Section]:
    """Every section that says something, in the order they are read."""
    found = [Section(name, title, write(record)) for name, title, write in _SECTIONS]
    return [section for section in found if section.text]


def section_titles() -> dict[str, str]:
    """What each section is called."""
    return {name: title for name, title, _ in _SECTIONS}


def markdown(record: Record) -> str:
    """The whole practice below its title."""
    parts = [record.summary]
    parts += [f"## {section.title}\n\n{section.text}" for section in sections(record)[1:]]
    return "\n\n".join(part for part in parts if part)


def _lines(*pairs: tuple[str, str]) -> str:
    return "\n".join(f"- **{name}:** {value}" for name, value in pairs if value)


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _about(record: Record) -> str:
    partners = "; ".join(p.name + (f" ({p.role})" if p.role else "") for p in record.partners)
    lines = _lines(
        ("Title", record.name),
        ("Kind", terms.KINDS[record.kind]),
        ("Agency", record.agency),
        ("Partners", partners),
        ("Language", record.language),
    )
    return "\n\n".join(filter(None, (record.summary, lines)))


def _problem(record: Record) -> str:
    parts = [record.problem]
    if record.audience:
        parts.append(f"**For:** {'; '.join(record.audience)}")
    reach = record.reach
    told = [f"{shown(reach.count)} people"] if reach.count is not None else []
    told += [f"{shown(reach.share)} % of them"] if reach.share is not None else []
    if told:
        parts.append(f"**Reached:** {', '.join(told)}")
    return "\n\n".join(filter(None, parts))


def _setting(record: Record) -> str:
    setting = record.setting
    return _lines(
        ("Country", setting.country),
        ("Level of government", terms.LEVELS.get(setting.level, "")),
        ("Population", terms.BANDS.get(setting.population_band, "")),
        ("Area", terms.AREAS.get(setting.urban_rural, "")),
        ("Legal base", setting.legal_base),
        ("Size", setting.size),
    )


def _solution(record: Record) -> str:
    novelty = terms.NOVELTIES.get(record.novelty, "")
    return "\n\n".join(filter(None, (record.solution, novelty and f"**{novelty}.**")))


def _steps(record: Record) -> str:
    return "\n\n".join(
        f"### {number}. {step.title}\n\n{_step(step)}".rstrip()
        for number, step in enumerate(record.steps, 1)
    )


def _step(step: Step) -> str:
    lines = _lines(
        ("Who", step.role),
        ("How long", step.duration),
        ("Cost", step.cost),
        ("Gives", step.output),
        ("Mind", step.pitfall),
        ("Links", " ".join(f"<{link}>" for link in step.resource_id)),
    )
    return "\n\n".join(filter(None, (step.text, lines)))


def _costs(record: Record) -> str:
    costs, staff = record.costs, record.staff
    return _lines(
        ("To begin", money(costs.startup, costs.currency)),
        ("Each year", money(costs.yearly, costs.currency)),
        ("In prices of", str(costs.year or "")),
        ("In kind", costs.in_kind),
        ("Source", costs.source),
        ("Cost band", terms.COSTS.get(str(record.cost_band or ""), "")),
        ("Staff", f"{shown(staff.fte)} full-time equivalents" if staff.fte is not None else ""),
        ("Skills", staff.skills),
        ("Stage", terms.STAGES.get(record.stage, "")),
        ("Began", record.started),
        ("Ended", record.ended),
    )


def money(amount: float | None, currency: str) -> str:
    """`USD 140,000`; empty where it is not known."""
    return "" if amount is None else f"{currency} {shown(amount)}".strip()


def measured(point: Point, unit: str) -> str:
    """A value with its unit: `12.6 days`, `40 %`; empty where there is none."""
    return "" if point.value is None else f"{shown(point.value)} {unit}".strip()


def outcome_line(outcome: Outcome) -> str:
    """What changed, in one line."""
    values = [
        (words, measured(point, outcome.unit))
        for words, point in (
            ("before", outcome.baseline),
            ("target", outcome.target),
            ("after", outcome.actual),
        )
    ]
    line = f"{outcome.indicator}: " + ", ".join(f"{w} {value}" for w, value in values if value)
    change = change_of(outcome)
    if change is None:
        return line.rstrip(": ")
    unit = f" {outcome.unit}".rstrip()
    by = percent(change.relative) if change.relative is not None else (
        shown(change.absolute, signed=True) + unit
    )  # fmt: skip
    wanted = terms.DIRECTIONS.get(outcome.direction, "").lower()
    return f"{line} ({by}{f'; {wanted}' if wanted else ''})"


def _outcomes(record: Record) -> str:
    found = []
    for outcome in record.outcomes:
        details = _lines(
            ("Statistic", terms.STATISTICS.get(outcome.statistic, "")),
            ("Measured before", _taken(outcome.baseline)),
            ("Measured after", _taken(outcome.actual)),
            ("Method", outcome.method),
            ("Source", outcome.source),
            ("Owed to", outcome.attribution),
        )
        found.append("\n\n".join(filter(None, (outcome_line(outcome), details))))
    return "\n\n".join(found)


def _taken(point: Point) -> str:
    parts = [point.date]
    parts += [f"n = {shown(point.n)}"] if point.n is not None else []
    parts += [f"standard deviation {shown(point.sd)}"] if point.sd is not None else []
    return ", ".join(filter(None, parts))


def _lessons(record: Record) -> str:
    return _bullets(record.lessons)


def _not_worked(record: Record) -> str:
    return _bullets(record.not_worked)


def _conditions(record: Record) -> str:
    return _bullets(f"{c.text}{' (needed)' if c.must else ''}" for c in record.conditions)


def _transfer(record: Record) -> str:
    transfer = record.transfer
    parts = [transfer.notes]
    parts += [f"**Risks:** {transfer.risks}"] if transfer.risks else []
    if transfer.local_choices:
        parts.append("**To be decided locally:**\n\n" + _bullets(transfer.local_choices))
    return "\n\n".join(filter(None, parts))


def _care(record: Record) -> str:
    notes = (
        ("Fairness", record.equity_note),
        ("Accessibility", record.access_note),
        ("Privacy", record.privacy_note),
    )
    kept = _lines(
        ("Kept going by", record.sustain.owner),
        ("Paid from", record.sustain.funding),
        ("How it would end", record.sustain.exit_plan),
    )
    return "\n\n".join([*(f"**{name}:** {note}" for name, note in notes if note), kept]).strip()


def _use(record: Record) -> str:
    credited = ", ".join(
        credit.name + (f" ({credit.agency})" if credit.agency else "") for credit in record.credits
    )
    return _lines(
        ("Licence", record.license),
        ("Contact", record.contact),
        ("Topics", ", ".join(terms.TOPICS.get(topic, topic) for topic in record.topics)),
        ("Functions", ", ".join(f"{c} {terms.function_label(c)}" for c in record.functions)),
        ("Tags", ", ".join(record.tags)),
        ("With thanks to", credited),
        ("Based on", " ".join(f"<{source.uri}>" for source in record.based_on)),
    )


_SECTIONS = (
    ("about", "About", _about),
    ("problem", "The problem", _problem),
    ("setting", "Where it was done", _setting),
    ("solution", "What was done", _solution),
    ("outcomes", "What changed", _outcomes),
    ("steps", "How to do it", _steps),
    ("costs", "Costs, staff and time", _costs),
    ("not-worked", "What did not work", _not_worked),
    ("lessons", "What we learned", _lessons),
    ("conditions", "Conditions for success", _conditions),
    ("transfer", "Doing it elsewhere", _transfer),
    ("care", "Fairness, access, privacy, and keeping it going", _care),
    ("use", "Using and citing it", _use),
)
