# SPDX-License-Identifier: Apache-2.0
"""Practices drawn at random: good ones, and what strangers might send."""

from typing import Any

from hypothesis import strategies as st

from server.practices.record.practice import AREAS, BANDS, KINDS, LEVELS, NOVELTIES, STAGES

words = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs", "Cc", "Cf"]),
    max_size=30,
)
said = words.filter(lambda text: bool(" ".join(text.split())))
numbers = st.integers(-(10**15), 10**15) | st.floats(-(10**15), 10**15)
amounts = st.integers(0, 10**15) | st.floats(0, 10**15)
days = st.dates().filter(lambda day: 1900 <= day.year <= 2200).map(str)
days |= st.integers(1900, 2200).map(str)
links = st.sampled_from(["https://city.example.gov/a", "https://state.example.gov/forms?x=1"])
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(said, inner, max_size=3),
    max_leaves=5,
)
unknown = st.dictionaries(said.map(lambda name: f"x{name}"), json, max_size=2)


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these members, and some that nobody knows."""
    known = st.fixed_dictionaries({}, optional=members)
    made: st.SearchStrategy[dict[str, Any]]
    made = st.builds(lambda told, extra: {**extra, **told}, known, unknown)
    return made


def with_all(
    part: st.SearchStrategy[dict[str, Any]], **members: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """The same with these members for certain."""
    return st.builds(lambda told, sure: {**told, **sure}, part, st.fixed_dictionaries(members))


def points(*, dated: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """A measurement with its value."""
    more = some(n=st.integers(1, 10**6))
    return with_all(more, value=numbers) if dated else with_all(more, value=amounts)


outcomes = with_all(
    some(
        method=words,
        source=words,
        target=points(),
        statistic=st.sampled_from(["median", "other"]),
    ),
    indicator=said,
    unit=said,
    direction=st.sampled_from(["up", "down", "none"]),
    baseline=points(),
    actual=points(),
)
steps = with_all(
    some(
        text=words,
        role=words,
        duration=words,
        pitfall=words,
        resourceId=st.lists(links, max_size=3),
    ),
    title=said,
)
conditions = with_all(some(must=st.booleans()), text=said)
practices = with_all(
    some(
        kind=st.sampled_from(KINDS),
        agency=words,
        contact=words,
        problem=words,
        solution=words,
        audience=st.lists(words, max_size=3),
        partners=st.lists(with_all(some(role=words), name=said), max_size=2),
        reach=some(count=st.integers(0, 10**9), share=st.integers(0, 100)),
        setting=some(
            country=st.sampled_from(["US", "FR"]),
            level=st.sampled_from(LEVELS),
            populationBand=st.sampled_from(BANDS),
            urbanRural=st.sampled_from(AREAS),
        ),
        novelty=st.sampled_from(NOVELTIES),
        steps=st.lists(steps, max_size=4),
        costs=with_all(some(startup=amounts, yearly=amounts), currency=st.just("USD")),
        costBand=st.integers(1, 5),
        staff=some(fte=amounts, skills=words),
        stage=st.sampled_from(STAGES),
        started=days,
        outcomes=st.lists(outcomes, max_size=3, unique_by=lambda o: o["indicator"].casefold()),
        notWorked=st.lists(words, max_size=3),
        conditions=st.lists(conditions, max_size=3),
        topics=st.lists(st.sampled_from(["parks", "water"]), unique=True),
        functions=st.lists(st.sampled_from(["04.1", "07"]), unique=True),
        license=st.sampled_from(["CC-BY-4.0", "MIT OR EUPL-1.2"]),
    ),
    v=st.just(1),
    name=said,
    summary=said,
)

hostile_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.just(1e400),
    st.just(-0.0),
    st.text(max_size=50),
    st.just("x" * 30_000),
    st.lists(st.nothing() | st.integers(), max_size=3),
    st.just([{}] * 101),
    st.dictionaries(st.text(max_size=5), st.floats(), max_size=2),
)
"""Anything JSON may hold at the place of anything else."""
