# SPDX-License-Identifier: Apache-2.0
"""What people in a made-up town write: words as skewed as real ones."""

import itertools
import random
from dataclasses import dataclass

from server import text
from storage import search

_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo za"
_PLAIN = (
    "permit licence inspection counter agency city county housing water street budget plan "
    "review deadline form digital record citizen request office staff training data template "
    "grant report schedule contract vendor policy health safety school park library transport"
)
VOCABULARY = 4_000
PARAGRAPHS = 3_000


@dataclass(frozen=True)
class Paragraph:
    """One paragraph as its author typed it, as it is shown, and as it is found."""

    source: str
    html: str
    indexed: str


class Wording:
    """Paragraphs and titles, the same ones for the same seed."""

    def __init__(self, seed: int = 7, paragraphs: int = PARAGRAPHS) -> None:
        self._chance = random.Random(seed)
        made = itertools.product(_SYLLABLES.split(), repeat=3)
        self.words = [*_PLAIN.split(), *("".join(parts) for parts in made)][:VOCABULARY]
        # Zipf: the word of rank n occurs as 1/n, with the very first flattened.
        self._weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(VOCABULARY)))
        self.paragraphs = [self._paragraph() for _ in range(paragraphs)]

    def _some(self, count: int) -> list[str]:
        return self._chance.choices(self.words, cum_weights=self._weights, k=count)

    def _paragraph(self) -> Paragraph:
        words = self._some(self._chance.randint(12, 40))
        words[3] = f"**{words[3]}**"
        source = " ".join(words).capitalize() + "."
        html = text.render(source)
        return Paragraph(source, html, self.indexed(text.plain(html)))

    @staticmethod
    def indexed(plain: str) -> str:
        """A text as the index is given it."""
        return " ".join(search.words(plain))

    def title(self) -> str:
        return " ".join(self._some(self._chance.randint(4, 9))).capitalize()

    def body(self, count: int) -> list[Paragraph]:
        return self._chance.choices(self.paragraphs, k=count)
