# SPDX-License-Identifier: Apache-2.0
"""The page on the record tells what the code does."""

import json
import re

from server.practices import record
from tests.house.sources import ROOT
from tests.server.practices.schema import tables

PAGE = (ROOT / "docs/wire/practice.md").read_text(encoding="utf-8")


def test_the_page_lists_every_member_as_it_is_read() -> None:
    assert tables().strip() in PAGE, "Make it anew: python -m tests.server.practices.schema"


def test_the_example_of_the_page_is_a_practice() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    document = json.loads(found[1])
    assert record.dump(record.parse(document)) == document
