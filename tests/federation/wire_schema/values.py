# SPDX-License-Identifier: Apache-2.0
"""Addresses, moments and contexts as the strictest reader takes them."""

import re
from typing import Any

from federation.vocabulary.terms import AS_CONTEXT

Json = dict[str, Any]
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# One JSON value each, which no other software looks into.
_OPAQUE = frozenset({"gh:practice", "gh:replication", "gh:resource", "gh:review", "gh:changeSet"})


def must_be_url(value: object) -> None:
    assert isinstance(value, str)
    assert re.fullmatch(r"https?://[^\s/]+(/\S*)?", value), value


def must_be_urls(value: object) -> None:
    assert isinstance(value, list)
    for one in value:
        must_be_url(one)
    assert len(set(value)) == len(value)


def must_hold_no_null(value: object) -> None:
    """Keys without a value are left out, at every depth but in what we only pass on."""
    assert value is not None
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in _OPAQUE:
                must_hold_no_null(one)
    if isinstance(value, list):
        for one in value:
            must_hold_no_null(one)


def must_name_its_context(document: Json) -> None:
    context = document["@context"]
    assert AS_CONTEXT in (context if isinstance(context, list) else [context])


def must_name_its_terms(document: Json) -> None:
    """Every term of ours has a place to be looked up, for those who expand what they read."""
    context = document["@context"]
    known = {name for one in context if isinstance(one, dict) for name in one}
    assert "gh" in known or not any(name.startswith("gh:") for name in document), document["id"]
