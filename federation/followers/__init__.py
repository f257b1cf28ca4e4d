# SPDX-License-Identifier: Apache-2.0
"""Lists of followers, compared with those of other software (FEP-8fcf)."""
