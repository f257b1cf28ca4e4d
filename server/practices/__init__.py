# SPDX-License-Identifier: Apache-2.0
"""What a practice is: its record, its numbers, its place on the ladder.

Nothing here knows how practices are written, published or shown: that is `server/library`. From
the inside out:

- `record` is the one JSON document of a practice (`v: 1`), its parser and its rules. The form
  and the wire both go through `record.parse`; nothing else decides what a practice may say.
- `change`, `evidence`, `fit`, `prose` and `comparing` are pure: numbers, reasons, texts and
  differences computed from records and plain rows, never read from anybody's claim.
- `typed` and `merging` are the fields of a form, as a document and when two people write.
- `facets`, `keeping` and `standing` are rows: what a practice is found by, what admins decide,
  where it stands. `forgetting` leaves nothing of a deleted one.

How the rest of the house joins in:

- **Federation.** A published practice is a `posts` row of the kind `practice` and travels as any
  opener does (ThreadPosted, PostEdited). Its translator adds `gh:practice`, which is
  `record.dump`, and on the way in hands `record.parse` to `library.publishing.apply`, the half of
  publishing that asks no rules.
- **Reviews** keep tables of their own and record a fact when one is decided; `standing.reckon`,
  the reaction to it, reads those rows in `standing.gather` and moves the ladder.
- **Replications** are posts of their own kind that name a practice; `gather` turns each into an
  `evidence.Replication`, computed here from its numbers.
- **Advisories** set `evidence.Grounds.withdrawn`.
"""
