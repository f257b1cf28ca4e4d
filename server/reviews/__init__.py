# SPDX-License-Identifier: Apache-2.0
"""The review of practices by peers, from asking for it to what is stated.

The home of a forum is the broker between its author and its reviewers:

- `course` is the one state machine, `rubric` what is asked, `masking` what is kept back.
- `cases` are the deeds of authors and stewards, `seats` what is heard of each reviewer.
- `tasks` are the deeds at a reviewer's own instance, which alone knows who they are. Where the
  review's home is the same instance, a task tells its seat without any wire.
- `requests` is what the home of an author elsewhere is told.
- `statements` is what a home states to everybody after an acceptance, and the ladder reads.
- `schedule` reminds, lets lapse and finds reviews grown old; `notices` tells people.
- `pages` decides, once, who sees what of it.
"""
