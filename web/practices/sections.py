# SPDX-License-Identifier: Apache-2.0
"""The guided form: its sections, and the fields of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from server.practices import terms
from server.practices.typed import SLOTS

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Field:
    """One field: `kind` is line, area, text (Markdown), select or choice.

    Neighbours of one `group` stand beside each other, under its name.
    """

    name: str
    label: str
    kind: str = "line"
    hint: str = ""
    options: Options = ()
    optional: bool = True
    attrs: Mapping[str, str] = field(default_factory=dict)
    group: str = ""

    @property
    def triples(self) -> list[tuple[str, str, str]]:
        """The options with a hint each, which they have none of."""
        return [(value, words, "") for value, words in self.options]

    def with_held(self, value: str) -> list[tuple[str, str]]:
        """The options, and the value held where it is none of them: it must not be lost."""
        known = list(self.options)
        if value not in {option for option, _ in known}:
            known.append((value, value))
        return known


@dataclass(frozen=True)
class Section:
    """One page of the form; `parts` names the list that it holds, if it holds one."""

    name: str
    title: str
    lede: str
    fields: tuple[Field, ...] = ()
    parts: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What its fields are called."""
        return tuple(one.name for one in self.fields)


def _options(labels: Mapping[str, str], none: str = "Not said") -> Options:
    return (("", none), *labels.items())


def _select(name: str, label: str, labels: Mapping[str, str]) -> Field:
    return Field(name, label, "select", options=_options(labels))


_FUNCTIONS = tuple((code, f"{code} {words}") for code, words in terms.FUNCTIONS.items())
_SHORT = {"class": "short", "inputmode": "decimal", "autocomplete": "off"}
_DATE = {"class": "short", "placeholder": "2026-03", "autocomplete": "off"}


def _slots(name: str, label: str, options: Options) -> tuple[Field, ...]:
    """Several lists to choose one from each, which a phone shows well."""
    return tuple(
        Field(
            f"{name}.{n}", label if not n else f"{label}, another", "select",
            options=(("", "None"), *options),
        )
        for n in range(SLOTS)
    )  # fmt: skip


SECTIONS = (
    Section(
        "about",
        "About",
        "A title and a sentence are enough to begin with. Everything else can follow.",
        (
            Field(
                "kind", "What is it?", "choice", optional=False,
                options=(
                    ("practice", "A practice: it works, or we think it will"),
                    ("attempt", "An attempt: an honest account of what did not work"),
                ),
            ),
            Field(
                "name", "Title", optional=False, attrs={"maxlength": "100"},
                hint="What it is, in a few words, such as “Digital permits with a check”.",
            ),
            Field(
                "summary", "In one sentence", "area", optional=False,
                attrs={"maxlength": "300", "rows": "3"},
                hint="What was done and what came of it. Other sites show this sentence.",
            ),
            Field("agency", "Agency", attrs={"maxlength": "200"}),
            Field(
                "partners", "Partners", "area", attrs={"rows": "3"},
                hint="One on each line, with their part: “University: evaluation”.",
            ),
            Field(
                "language", "Language", attrs={"class": "short", "maxlength": "12"},
                hint="Its code, such as en or es.",
            ),
        ),
    ),
    Section(
        "problem",
        "The problem",
        "What was wrong, for whom, and how large it was.",
        (
            Field("problem", "What was the problem?", "text"),
            Field(
                "audience", "Whom is it for?", "area", attrs={"rows": "3"},
                hint="One group on each line.",
            ),
            Field("reach.count", "How many people does it reach?", attrs=_SHORT),
            Field("reach.share", "Which share of them, in %?", attrs=_SHORT),
        ),
    ),
    Section(
        "setting",
        "The setting",
        "What kind of place it was done at, so that others can tell whether they are alike.",
        (
            _select("setting.level", "Level of government", terms.LEVELS),
            _select("setting.populationBand", "Population", terms.BANDS),
            _select("setting.urbanRural", "Kind of area", terms.AREAS),
            Field(
                "setting.country", "Country", hint="Two letters, such as US.",
                attrs={"class": "short", "maxlength": "2"},
            ),
            Field("setting.legalBase", "Legal base", hint="A law or rule that it rests on."),
            Field("setting.size", "Size", hint="Such as “12,000 permits a year, 40 staff”."),
        ),
    ),
    Section(
        "solution",
        "What was done",
        "The idea of it. The steps come next.",
        (
            Field("solution", "What was done?", "text"),
            Field("novelty", "How new is it?", "select", options=_options(terms.NOVELTIES)),
        ),
    ),
    Section("steps", "The steps", "In the order to do them in, so that a colleague elsewhere"
            " could follow them.", parts="steps"),
    Section("outcomes", "What changed", "What you measured, before and after. The change is"
            " computed from it.", parts="outcomes"),
    Section(
        "costs",
        "Costs, staff and time",
        "Rough figures are better than none.",
        (
            Field("costs.startup", "Cost to begin", attrs=_SHORT,
                  hint="A number without marks, such as 140000."),
            Field("costs.yearly", "Cost each year", attrs=_SHORT),
            Field("costs.currency", "Currency", attrs={"class": "short", "maxlength": "3"},
                  hint="Three letters, such as USD."),
            Field("costs.year", "In prices of the year", attrs=_SHORT),
            Field("costs.inKind", "What was given in kind"),
            Field("costs.source", "Where these figures come from"),
            Field("costBand", "Cost band", "select", options=_options(terms.COSTS),
                  hint="Compared with what such things usually cost."),
            Field("staff.fte", "Staff, in full-time equivalents", attrs=_SHORT),
            Field("staff.skills", "Skills that are needed"),
            Field("stage", "Stage", "select", options=_options(terms.STAGES)),
            Field("started", "Began", attrs=_DATE, hint="A day, a month or a year."),
            Field("ended", "Ended", attrs=_DATE),
        ),
    ),
    Section(
        "lessons",
        "What did not work, and what it takes",
        "What others would like to have known before.",
        (
            Field("notWorked", "What did not work", "area", hint="One thing on each line."),
            Field("lessons", "What you learned", "area", hint="One thing on each line."),
            Field("conditions.must", "What has to be there", "area", attrs={"rows": "4"},
                  hint="Without it, it does not work. One thing on each line."),
            Field("conditions.helps", "What helps", "area", attrs={"rows": "4"},
                  hint="One thing on each line."),
        ),
    ),
    Section(
        "transfer",
        "Doing it elsewhere",
        "What to mind at another place, for everybody, and later on.",
        (
            Field("transfer.notes", "What to mind", "text"),
            Field("transfer.risks", "Risks", "text"),
            Field("transfer.localChoices", "What each place decides for itself", "area",
                  hint="One thing on each line.", attrs={"rows": "4"}),
            Field("equityNote", "Fairness: whom does it help, whom may it leave out?", "text"),
            Field("accessNote", "Accessibility", "text"),
            Field("privacyNote", "Privacy", "text"),
            Field("sustain.owner", "Who keeps it going"),
            Field("sustain.funding", "Paid from"),
            Field("sustain.exitPlan", "How it would end"),
        ),
    ),
    Section(
        "use",
        "Finding and using it",
        "What it is found by, and what others may do with it.",
        (
            *_slots("topics", "Topic", tuple(terms.TOPICS.items())),
            *_slots("functions", "Function of government (COFOG)", _FUNCTIONS),
            Field("tags", "Tags", hint="A few words, separated by commas."),
            Field("license", "Licence", "select",
                  options=_options(terms.LICENCES, "Not chosen"),
                  hint="What others may do with this text. Without one they have to ask."),
            Field("contact", "Contact",
                  hint="A shared mailbox outlives people: permits@agency.example.gov."),
        ),
    ),
)  # fmt: skip


def sections(topics: Options) -> tuple[Section, ...]:
    """The whole form, with the topics as they are listed here."""
    listed = _slots("topics", "Topic", topics)
    *before, last = SECTIONS
    others = tuple(one for one in last.fields if not one.name.startswith("topics."))
    return (*before, replace(last, fields=listed + others))


STEP = (
    Field("title", "Title of the step", optional=False, attrs={"maxlength": "200"}),
    Field("text", "What to do", "text"),
    Field("role", "Who", hint="A role, such as “permit manager”."),
    Field("duration", "How long", hint="Such as “3 weeks”."),
    Field("cost", "Cost"),
    Field("output", "What there is afterwards"),
    Field("pitfall", "What goes wrong easily"),
    Field("resourceId", "Links", "area", attrs={"rows": "3"},
          hint="Resources of the hub and other documents, one address on each line."),
)  # fmt: skip


def _point(name: str, group: str, when: str, members: tuple[str, ...]) -> tuple[Field, ...]:
    """The fields of one measurement."""
    labels = {
        "value": "Value", "date": when, "n": "How many were counted (n)",
        "sd": "Standard deviation, of a mean",
    }  # fmt: skip
    return tuple(
        Field(f"{name}.{one}", labels[one], group=group, attrs=_DATE if one == "date" else _SHORT)
        for one in members
    )


OUTCOME = (
    Field("indicator", "What is measured", optional=False, attrs={"maxlength": "200"},
          hint="Such as “days from filing to permit”."),
    Field("unit", "Unit", attrs={"class": "short", "maxlength": "40"}, hint="days, %, complaints…"),
    Field("direction", "Which way is better?", "select", options=_options(terms.DIRECTIONS)),
    Field("statistic", "What kind of number is it?", "select", options=_options(terms.STATISTICS)),
    *_point("baseline", "Before", "When", ("value", "date", "n", "sd")),
    *_point("target", "Target", "By when", ("value", "date")),
    *_point("actual", "After", "When", ("value", "date", "n", "sd")),
    Field("method", "How it was measured"),
    Field("source", "Where the numbers come from"),
    Field("attribution", "What else may explain the change"),
)  # fmt: skip

PARTS = {"steps": STEP, "outcomes": OUTCOME}
ONE_OF = {"steps": "step", "outcomes": "outcome"}
HEADINGS = {"steps": "title", "outcomes": "indicator"}


def part_fields(what: str, key: str) -> tuple[Field, ...]:
    """The fields of one step or outcome, as they are called in a draft."""
    return tuple(
        Field(
            f"{what}.{key}.{one.name}", one.label, one.kind, one.hint, one.options,
            one.optional, one.attrs, one.group,
        )
        for one in PARTS[what]
    )  # fmt: skip


_SECTION_OF = {name: section.name for section in SECTIONS for name in section.names}


def section_of(name: str) -> str:
    """The section that a field of a draft belongs to; empty for none."""
    first = name.partition(".")[0]
    return first if first in PARTS else _SECTION_OF.get(name, "")
