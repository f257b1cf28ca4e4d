# SPDX-License-Identifier: Apache-2.0
"""The resource hub: templates, tools, datasets and guides to use again.

- `record` is the one JSON document of a resource (`v: 1`); the form and the wire both go through
  its `parse`. `licences`, `terms` and `prose` are pure words about it.
- `sniffing`, `names` and `intake` decide what an uploaded file is, and what is kept of it.
- `drafts` and `publishing` are the deeds of sharing one; `lineage` those of adapting one, `uses`
  that of saying "we use this"; `pages`, `lists` and `files` are what pages read.
"""
