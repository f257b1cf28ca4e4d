# SPDX-License-Identifier: Apache-2.0
"""What a resource is: its record, its files, its licence, its drafts.

- `record` is the one JSON document of a resource (`v: 1`); the form and the wire both go through
  its `parse`. `licences`, `terms` and `prose` are pure words about it.
- `sniffing`, `names` and `intake` decide what an uploaded file is, and what is kept of it.
- `drafts` are those being prepared, `forgetting` leaves nothing of a deleted one.

How they are published, shown and passed on is `server/hub`.
"""
