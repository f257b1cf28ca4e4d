# SPDX-License-Identifier: Apache-2.0
"""What a review is: its course, its rows, what reviewers do, who is told.

The home of a forum is the broker between its author and its reviewers. From the inside out:

- `course` is the one state machine, `rubric` what is asked, `words` what it is called on pages.
- `rows` finds and scrubs, `notices` tells people, `forgetting` leaves nothing behind.
- `seats` is what a review's home hears of each reviewer; `tasks` are the deeds of reviewers, at
  their own instance, which alone knows who they are; `endings` is how their part ends. Where the
  home is the same instance, a task tells its seat without any wire.

Authors and stewards do theirs in `server/vetting`.
"""
