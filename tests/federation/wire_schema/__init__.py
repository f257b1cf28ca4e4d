# SPDX-License-Identifier: Apache-2.0
"""What the strictest of the forum servers accepts from us."""

from tests.federation.wire_schema.activities import (
    must_be_an_activity,
    must_be_an_announce,
    must_be_sent_so,
)
from tests.federation.wire_schema.actors import must_be_a_group, must_be_a_person
from tests.federation.wire_schema.posts import must_be_a_post
from tests.federation.wire_schema.values import Json, must_hold_no_null

__all__ = [
    "Json",
    "must_be_a_group",
    "must_be_a_person",
    "must_be_a_post",
    "must_be_an_activity",
    "must_be_an_announce",
    "must_be_sent_so",
    "must_hold_no_null",
]
