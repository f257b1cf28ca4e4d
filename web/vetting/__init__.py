# SPDX-License-Identifier: Apache-2.0
"""The pages of reviews: for authors, reviewers and stewards."""

from web.vetting import authors, cases, tasks

routes = [
    *authors.routes,
    *cases.routes,
    # After the words that are no reviewer's.
    *tasks.routes,
]
