# SPDX-License-Identifier: Apache-2.0
"""Having practices reviewed: what authors and stewards do, what is stated of it.

What a review is stands in `server/reviews`, which knows nothing of this:

- `cases` are the deeds of authors and stewards at the home of a forum.
- `requests` is what an author does, and is told, whose forum is elsewhere.
- `statements` is what a home states to everybody after an acceptance, and the ladder reads.
"""
