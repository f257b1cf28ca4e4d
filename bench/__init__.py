# SPDX-License-Identifier: Apache-2.0
"""The benchmarks: every figure beside its limit of the same run."""
