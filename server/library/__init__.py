# SPDX-License-Identifier: Apache-2.0
"""The library: how practices are written, published, read and passed on.

`drafts` and `publishing` are the deeds of writing, `lineage` and `distilling` those that begin a
draft from another practice or from a discussion; `pages` and `lists` are what pages read.
"""
