# SPDX-License-Identifier: Apache-2.0
"""Nothing in the repository knows the machine it was made on."""

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, files

# In pieces, so that this page does not find itself.
HOMES = "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+", "Us" + "ers/[A-Za-z]+"])
FORBIDDEN = {
    "a path of one machine": re.compile(rf"(?<![\w.:/}}>$-])/(?:{HOMES})/"),
    "the address of a package index": re.compile(
        "--(?:extra-)?index" + "-url|pypi[.]org/" + "simple"
    ),
    "a loose end": re.compile(r"\b(?:TO" + "DO|FIX" + r"ME)\b"),
}
# Papers may speak of loose ends, and this option is the one that keeps addresses out.
MAY_SAY = re.compile("--no-emit-index" + "-url")
PICTURES = {".gif", ".ico", ".jpg", ".png", ".webp", ".woff2"}


def unwanted(path: Path, text: str) -> list[str]:
    """Each line of a file that says what no file should, and why."""
    return [
        f"{path}:{number} has {what}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(MAY_SAY.sub("", line))
        and not (what == "a loose end" and path.suffix == ".md")
    ]


def test_no_file_says_what_no_file_should() -> None:
    texts = [path for path in files() if path.suffix not in PICTURES]
    found = [
        line
        for path in texts
        for line in unwanted(path, (ROOT / path).read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "see /wo" + "rk/notes",
        "cp /ro" + "ot/.bashrc .",
        "cd /ho" + "me/ana/src",
        "pip install --index" + "-url https://example.org/simple x",
        "# TO" + "DO: later",
    ],
)
def test_an_unwanted_word_is_seen(line: str) -> None:
    assert unwanted(Path("server/posts.py"), line)


def test_addresses_that_only_look_like_paths_are_welcome() -> None:
    assert (
        unwanted(Path("docs/a.md"), "https://city.example/wo" + "rk/permits and ./wo" + "rk/") == []
    )


def test_the_locks_name_no_index_and_no_file_of_this_machine() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        strange = [line for line in lines if "://" in line or line.startswith(("-", "."))]
        assert strange == []
