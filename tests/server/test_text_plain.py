# SPDX-License-Identifier: Apache-2.0
"""Plain texts, one-line fields, histories and quotations."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.fuzzing  # noqa: F401
from server.text import (
    Change,
    changes,
    clean_line,
    excerpt,
    plain,
    quote,
    render,
    slug,
    wire_summary,
)
from server.text.history import MAX_LINES


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>a <b>b</b>c</p><p>d<br>e</p>", "a bc\nd\ne"),
        ("<ul>\n<li>a</li>\n<li>b &lt; c</li>\n</ul>", "a\nb < c"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>  x\n    y\n</pre>z", "  x\n    y\nz"),
        ('<p>see <img src="https://i.example/" alt="the map"></p>', "see the map"),
        ("a<script>x</script><style>y</style><!-- z -->b", "ab"),
        ("<p>a\n   b</p>", "a b"),
        ("", ""),
    ],
)
def test_the_text_of_html(markup: str, expected: str) -> None:
    assert plain(markup) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(40, "One two, three four"), (19, "One two, three four"), (18, "One two, three…"),
     (9, "One two…"), (3, "On…")],
)  # fmt: skip
def test_an_excerpt_is_cut_between_words(limit: int, expected: str) -> None:
    assert excerpt("<p>One two,</p><p>three four</p>", limit) == expected


@given(st.text(max_size=300), st.integers(1, 60))
def test_an_excerpt_keeps_its_limit_and_its_words(text: str, limit: int) -> None:
    short = excerpt(render(text), limit)
    assert len(short) <= limit
    assert "\n" not in short


def test_a_short_text_is_its_own_summary() -> None:
    markup = render("# A\n\n- b\n- c")
    assert wire_summary(markup) == markup


def test_a_long_text_is_summed_up_by_its_first_blocks() -> None:
    markup = render("# A\n\n" + "\n\n".join(f"{n} " + "word " * 40 for n in range(10)))
    summary = wire_summary(markup)
    assert summary.startswith("<h3>A</h3>\n<p>0 word")
    assert summary.endswith("</p><p>[…]</p>")
    assert summary.count("<p>") == 5
    assert 700 < len(plain(summary)) <= 1_010


def test_a_summary_has_no_tables() -> None:
    summary = wire_summary(render("before\n\n|a|b|\n|-|-|\n|1|2|\n\nafter"))
    assert summary == "<p>before</p>\n\n<p>after</p><p>[…]</p>"


def test_one_long_block_is_cut_between_words() -> None:
    summary = wire_summary("<ul><li>" + "<b>word</b> " * 500 + "</li></ul>")
    assert summary.startswith("<p>word word")
    assert summary.endswith("word…</p><p>[…]</p>")
    assert len(plain(summary)) <= 1_005


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Digital permits: 21 days → 12.6!", "digital-permits-21-days-12-6"),
        ("Straße, Ærø & Łódź à la carte", "strasse-aero-lodz-a-la-carte"),
        ("日本", "post"),
        ("--", "post"),
        ("x" * 70, "x" * 60),
        ("word " * 20, "-".join(["word"] * 12)),
    ],
)
def test_a_slug_of(title: str, expected: str) -> None:
    assert slug(title) == expected


@given(st.text(max_size=200))
def test_any_title_has_a_slug(title: str) -> None:
    made = slug(title)
    assert 1 <= len(made) <= 60
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert made == made.strip("-") == slug(made)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a\n\tb\u3000c  ", "a b c"),
        ("admin\u202egnp.exe\u2066\u200b\x00\x1b\x85", "admingnp.exe"),
        ("e\u0301", "é"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("x" * 30, "x" * 20),
        ("a" * 19 + " b", "a" * 19),
        ("\ud800a", "a"),
    ],
)
def test_a_line_of(value: str, expected: str) -> None:
    assert clean_line(value, 20) == expected


@given(st.text(max_size=200), st.integers(1, 50))
def test_any_value_becomes_a_line(value: str, limit: int) -> None:
    line = clean_line(value, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split()) == clean_line(line, limit)
    assert unicodedata.is_normalized("NFC", line)
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in line)


def test_changes_are_told_by_words() -> None:
    assert changes("same\nIt took 21 days.\n", "same\nIt took 12 days.\nmore\n") == [
        Change("same", "same\nIt took "),
        Change("removed", "21"),
        Change("added", "12"),
        Change("same", " days.\n"),
        Change("added", "more\n"),
    ]


def test_too_many_changed_lines_are_told_as_a_whole() -> None:
    old = "head\n" + "".join(f"{n}\n" for n in range(MAX_LINES + 1)) + "tail\n"
    new = old.replace("0\n", "zero\n")
    told = changes(old, new)
    assert [change.kind for change in told] == ["same", "removed", "added", "same"]
    assert told[0].text == "head\n"
    assert told[1].text.startswith("0\n1\n")


@given(*[st.lists(st.sampled_from(["a b\n", "b c\n", "\n", "c", " ", "é\r\n"])).map("".join)] * 2)
def test_changes_hold_both_texts(old: str, new: str) -> None:
    told = changes(old, new)
    assert "".join(change.text for change in told if change.kind != "added") == old
    assert "".join(change.text for change in told if change.kind != "removed") == new
    assert all(change.text for change in told)
    assert (old == new) == all(change.kind == "same" for change in told)


def test_a_quotation_names_its_author_and_holds_the_text() -> None:
    quoted = quote("first\n\n- a\n- b\n", "Ana *Ruiz*")
    assert quoted == "> **Ana \\*Ruiz\\*** wrote:\n>\n> first\n>\n> - a\n> - b\n\n"
    shown = render(quoted + "reply")
    assert shown.startswith("<blockquote>\n<p><strong>Ana *Ruiz*</strong> wrote:</p>")
    assert shown.endswith("<li>b</li>\n</ul>\n</blockquote>\n<p>reply</p>")
