# SPDX-License-Identifier: Apache-2.0
"""Having practices reviewed: by whom, how it is decided, who sees what.

What a review is stands in `server/reviews`, which knows nothing of this, nor of practices:

- `cases` are the deeds of authors and stewards at the home of a forum; `requests` is what an
  author does, and is told, whose forum is elsewhere.
- `masking` is what is kept from reviewers.
- `statements` is what a home states to everybody after an acceptance, and the ladder reads.
- `schedule` reminds, lets lapse, and finds reviews grown old.
- `lists`, `pages`, `authors` and `reviewing` decide, once, who sees what of it.
"""
