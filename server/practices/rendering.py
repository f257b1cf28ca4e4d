# SPDX-License-Identifier: Apache-2.0
"""The longer texts of a record as safe HTML."""

import json

from server import text
from server.practices.record import Record


def rendered(record: Record) -> str:
    """The HTML of the longer texts, by field; made once, since Markdown is slow."""
    found = {
        "problem": text.render(record.problem),
        "solution": text.render(record.solution),
        "transfer": text.render(record.transfer.notes),
        "risks": text.render(record.transfer.risks),
        "equity": text.render(record.equity_note),
        "access": text.render(record.access_note),
        "privacy": text.render(record.privacy_note),
    }
    found |= {f"step{n}": text.render(step.text) for n, step in enumerate(record.steps)}
    return json.dumps({name: html for name, html in found.items() if html}, ensure_ascii=False)
