# SPDX-License-Identifier: Apache-2.0
"""What a review of a practice is: its course, its rows, who is told and who sees it.

The home of a forum is the broker between its author and its reviewers. From the inside out:

- `course` is the one state machine, `rubric` what is asked, `masking` what is kept back.
- `rows` finds and scrubs, `notices` tells people, `forgetting` leaves nothing behind.
- `seats` is what a review's home hears of each reviewer; `tasks` are the deeds of reviewers, at
  their own instance, which alone knows who they are; `endings` is how their part ends. Where the
  home is the same instance, a task tells its seat without any wire.
- `schedule` reminds, lets lapse, and finds reviews grown old.
- `pages` decides, once, who sees what of it.

Authors and stewards do theirs in `server/vetting`.
"""
