# SPDX-License-Identifier: Apache-2.0
"""The resource hub: how resources are published, read and passed on.

`publishing`, `lineage` and `uses` are the deeds, `pages` and `lists` what pages read, `files`
which file is asked for. What a resource is, `server/resources` knows, and nothing above it.
"""
