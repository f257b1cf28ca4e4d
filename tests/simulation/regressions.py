# SPDX-License-Identifier: Apache-2.0
"""Seeds that once failed, with the reason, which are always run."""

# seed -> what it found
REGRESSIONS: dict[int, str] = {
    2: "a week apart: nobody tried for up to six hours after the line was whole again",
    4: "an edit after the clock was set back looked older than the post, and copies dropped it",
    2001: "a backup: people were not told of what their own colleagues wrote and it had lost",
    2092: "an opener was deleted before a copy held it, and what answers it never came there",
    3002: "a backup: nobody was told of answers that were back before what they answer",
    3038: "its home had closed a thread, and an edit that it refused stayed where it was made",
    4057: "the same as 3038, without a partition",
}
