# SPDX-License-Identifier: Apache-2.0
"""The pages of the library."""

from web.practices import (
    drafts,
    keeping,
    library,
    lineage,
    offering,
    reading,
    replicating,
    warning,
    writing,
)

routes = [
    *library.routes,
    *keeping.routes,
    *drafts.routes,
    *offering.routes,
    # After the parts of a draft that are no sections of it.
    *writing.routes,
    *lineage.routes,
    *reading.routes,
    *replicating.routes,
    *warning.routes,
]
