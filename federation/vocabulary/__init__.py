# SPDX-License-Identifier: Apache-2.0
"""ActivityStreams read by shape, without a network."""
