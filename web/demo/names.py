# SPDX-License-Identifier: Apache-2.0
"""What can be broken on purpose, to see that the check notices."""

SABOTAGES = ("delivery", "signature", "signing", "policy")
