# SPDX-License-Identifier: Apache-2.0
"""Markdown as posts show it, and what names it holds."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.fuzzing  # noqa: F401
from bench.texts import filled
from server.text import (
    MAX_SOURCE,
    clean_tags,
    hashtags,
    mentions,
    plain,
    render,
    sanitise,
)
from server.text.bounds import (
    MAX_CONTAINERS,
    MAX_DELIMITERS,
    MAX_LINK_NESTING,
    MAX_LINK_TEXT,
    MAX_TABLE_COLUMNS,
)
from server.text.rendering import MAX_MADE_LINKS
from tests.server.test_text_bounds import Depths

REL = 'rel="nofollow noopener ugc"'


TABLE = """<table>
<thead>
<tr>
<th align="left">a</th>
<th align="right">b</th>
</tr>
</thead>
<tbody>
<tr>
<td align="left">1</td>
<td align="right">2</td>
</tr>
</tbody>
</table>"""
ADDRESS = (
    f'<a href="http://b.localhost:4101/?a=1&amp;b" {REL}>http://b.localhost:4101/?a=1&amp;b</a>'
)
FORGED = "wzxhzdk:0 \x02wzxhzdk:0\x03 \x02klzzwxh:0000\x03"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# A\n## B\n###### C", "<h3>A</h3>\n<h4>B</h4>\n<h6>C</h6>"),
        ("# A #\n#water", "<h3>A</h3>\n<p>#water</p>"),
        ("a\nb  \nc", "<p>a\nb<br>\nc</p>"),
        (
            "**a** _b_ ~~c~~ `d` snake_case_name",
            "<p><strong>a</strong> <em>b</em> <del>c</del> <code>d</code> snake_case_name</p>",
        ),
        ("- a\n\n3. b", '<ul>\n<li>a</li>\n</ul>\n<ol start="3">\n<li>b</li>\n</ol>'),
        (
            "```py\n# <b>\n\n@x\n```\nafter",
            "<pre><code># &lt;b&gt;\n\n@x\n</code></pre>\n<p>after</p>",
        ),
        ("~~~\nnever closed", "<pre><code>never closed\n</code></pre>"),
        ("|a|b|\n|:-|-:|\n|1|2|", TABLE),
        ("<b>a</b> <!-- c --> &lt;", "<p>&lt;b&gt;a&lt;/b&gt; &lt;!-- c --&gt; &lt;</p>"),
        ("<div>\n*a*\n</div>", "<p>&lt;div&gt;\n<em>a</em>\n&lt;/div&gt;</p>"),
        (
            '![x "y"](https://i.example/p.png)',
            '<p><img alt="x &quot;y&quot;" src="https://i.example/p.png"></p>',
        ),
        ("[a](https://b.example/x_(y))", f'<p><a href="https://b.example/x_(y)" {REL}>a</a></p>'),
        ("[a][1]\n\n[1]: https://b.example", f'<p><a href="https://b.example" {REL}>a</a></p>'),
        ("(http://b.localhost:4101/?a=1&b).", f"<p>({ADDRESS}).</p>"),
        ("`http://b.example` b.example", "<p><code>http://b.example</code> b.example</p>"),
        (FORGED, "<p>wzxhzdk:0 wzxhzdk:0 klzzwxh:0000</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes(source: str, expected: str) -> None:
    assert render(source) == expected


LINKS = {
    "ana": "https://here.example/u/ana",
    "bo@b.localhost:4101": 'http://b.localhost:4101/u/bo"x',
    "eve": "javascript:alert(1)",
}


def test_known_handles_become_links_and_others_stay_text() -> None:
    card = '<span class="h-card"><a href="{}" class="mention u-url" {}>@{}</a></span>'
    ana = card.format("https://here.example/u/ana", REL, "Ana")
    bo = card.format("http://b.localhost:4101/u/bo&quot;x", REL, "bo")
    assert render("@Ana, @bo@B.localhost:4101: @cy", links=LINKS) == f"<p>{ana}, {bo}: @cy</p>"


def test_a_handle_leads_only_to_the_web() -> None:
    assert "javascript" not in render("@eve", links=LINKS)


def test_handles_in_code_links_and_addresses_stay_as_they_are() -> None:
    source = "`@ana` [@ana](https://x.example) me@ana https://x.example/@ana\n\n    @ana"
    assert "mention" not in render(source, links=LINKS)
    assert mentions(source) == []


def test_only_so_many_links_are_made() -> None:
    assert render("@ana " * 1_000, links=LINKS).count("<a ") == MAX_MADE_LINKS
    assert render("https://b.example\n\n" * 1_000).count("<a ") == MAX_MADE_LINKS


def test_a_text_over_the_limit_is_refused() -> None:
    assert render("x" * MAX_SOURCE)
    with pytest.raises(ValueError, match="at most 50,000 characters"):
        render("x" * (MAX_SOURCE + 1))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@ana and @Bo@City.example, @ana. (@cy@b.localhost:4101)",
         ["ana", "bo@city.example", "cy@b.localhost:4101"]),
        ("Thanks @ana... @bo@b.example:80, @cy@host.example/x @di-",
         ["ana", "bo@b.example:80", "cy@host.example", "di"]),
        ("@ana_ruiz-2.x @a@host.example.", ["ana_ruiz-2.x", "a@host.example"]),
        ("ana@city.example a.@b //@c @ana@ @@d @é", []),
        ("**@ana** > @bo\n\n> @cy\n\n- @di", ["ana", "bo", "cy", "di"]),
        ("```\n@ana\n```\n`@bo` [@cy](https://x.example) \\@di", ["di"]),
        (" ".join(f"@m{n}" for n in range(30)), [f"m{n}" for n in range(20)]),
    ],
)  # fmt: skip
def test_mentions_of(source: str, expected: list[str]) -> None:
    assert mentions(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("#Water and (#permits_2), #water!", ["water", "permits_2"]),
        (
            "#water\n## heading #two\n#Straße #हिन्दी #日本",
            ["water", "two", "straße", "हिन्दी", "日本"],
        ),
        ("#1 a#b &#39; https://x.example/#c `#d` [#e](https://x.example) ##f", []),
        ("#" + "a" * 40 + " #" + "b" * 41, ["a" * 40]),
        (" ".join(f"#t{n}" for n in range(30)), [f"t{n}" for n in range(20)]),
    ],
)
def test_hashtags_of(source: str, expected: list[str]) -> None:
    assert hashtags(source) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Permits, digital-services  #water,,permits", ["permits", "digital-services", "water"]),
        ("E\u0301cole हिन्दी 2026", ["école", "हिन्दी", "2026"]),
        (" ,# ", []),
    ],
)
def test_tags_of_a_form_field(raw: str, expected: list[str]) -> None:
    assert clean_tags(raw) == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("a" * 41, "A tag can have at most 40 characters."),
        ("-x", "A tag can have letters, digits, hyphens and underscores only."),
        ("a/b", "A tag can have letters, digits, hyphens and underscores only."),
        (" ".join(map(str, range(11))), "A post can have at most 10 tags."),
    ],
)
def test_wrong_tags_are_refused_in_a_sentence(raw: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        clean_tags(raw)


@pytest.mark.parametrize(
    ("source", "tag", "deepest"),
    [
        (filled(">"), "blockquote", MAX_CONTAINERS),
        (filled("> "), "blockquote", MAX_CONTAINERS),
        (filled("- "), "ul", MAX_CONTAINERS),
        (filled("1. "), "ol", MAX_CONTAINERS),
        (filled("> - "), "blockquote", MAX_CONTAINERS // 2),
        ("\n".join(" " * 4 * n + "- a" for n in range(150)), "ul", MAX_CONTAINERS),
        ("*a " * 50 + "a* " * 50, "em", 50),
        ("*a " * 8_000 + "a* " * 8_000, "em", 0),
        (filled("***"), "strong", 0),
    ],
)
def test_nesting_is_limited_before_markdown_reads_it(source: str, tag: str, deepest: int) -> None:
    assert Depths(render(source)).deepest[tag] == deepest


def test_markers_past_the_limit_are_shown() -> None:
    assert plain(render("> " * (MAX_CONTAINERS + 2) + "deep")) == "> > deep"
    assert plain(render("- " * (MAX_CONTAINERS + 1) + "deep")) == "- deep"
    assert plain(render("1. " * (MAX_CONTAINERS + 1) + "deep")) == "1. deep"


def test_a_crowded_text_shows_its_marks_and_the_next_one_is_read() -> None:
    crowded = " ".join(["*a*"] * (MAX_DELIMITERS // 2 + 1))
    assert render(f"{crowded}\n\n*b*") == f"<p>{crowded}</p>\n<p><em>b</em></p>"


def test_links_in_links_are_limited() -> None:
    source = "[" * MAX_LINK_NESTING + "a" + "]" * MAX_LINK_NESTING
    assert render(f"{source}(https://b.example)").startswith("<p><a")
    assert not render(f"[{source}](https://b.example)").startswith("<p><a")
    assert render("[a[b]](https://b.example)").count("<a") == 1
    long = "a" * MAX_LINK_TEXT
    assert render(f"[{long}](https://b.example)").startswith("<p>[a")


def test_tables_grow_no_larger_than_their_source() -> None:
    wide = "|".join("a" * 40) + "\n" + "|".join("-" * 40) + "\n" + "a\n" * 1_000
    assert "<table>" not in render(wide)
    columns = MAX_TABLE_COLUMNS + 1
    assert "<table>" not in render("\n".join("|".join(c * columns) for c in "a-b"))
    assert "<table>" in render("\n".join("|".join(c * (columns - 1)) for c in "a-b"))


def test_threads_do_not_disturb_one_another() -> None:
    sources = [f"# {n}\n\n*{n}* [{n}](https://b.example/{n})\n\n- {n}\n" * 20 for n in range(40)]
    expected = [render(source) for source in sources]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda source: render(source + "\n"), sources)) == expected


WRITTEN = st.lists(
    st.one_of(
        st.sampled_from(["*", "_", "~~", "`", "```\n", "[", "](", "]", ")", "![", "> ", "1. "]),
        st.sampled_from(
            ["# ", "\n", "\n\n", "    ", "|", "|-|\n", "<b>", "</b>", "&lt;", "\\", "---"]
        ),
        st.sampled_from(["- ", "[a]: https://b.example\n", "<https://b.example>"]),
        st.sampled_from(["@ana", "@bo@b.example", "#tag", "https://b.example/x", "a", " ", "\x02"]),
        st.text(max_size=10),
    ),
    max_size=60,
).map("".join)


@given(WRITTEN)
def test_any_text_renders_to_what_the_gate_leaves_as_it_is(source: str) -> None:
    markup = render(source, links=LINKS)
    assert sanitise(markup) == markup


@given(st.text(max_size=2_000))
def test_any_text_has_names(source: str) -> None:
    render(source)
    assert all(handle == handle.lower() for handle in mentions(source))
    assert all(0 < len(tag) <= 40 for tag in hashtags(source))


@given(st.from_regex(r"[a-z0-9_]{1,20}@[a-z0-9]{1,10}\.example(:[0-9]{2,5})?", fullmatch=True))
def test_every_mention_of_a_known_handle_is_linked(handle: str) -> None:
    source = f"`x` @{handle}"
    if mentions(source) == [handle]:
        assert render(source, links={handle: "https://x.example/"}).count("mention") == 1
    else:
        assert handle.startswith("_") or "_" in handle
