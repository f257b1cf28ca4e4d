# SPDX-License-Identifier: Apache-2.0
"""How many examples the property tests draw."""

from hypothesis import HealthCheck, settings

# No deadlines: on a shared machine a slow example says nothing about the code.
settings.register_profile("quick", deadline=None, max_examples=60)
settings.register_profile(
    "full", deadline=None, max_examples=3000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quick")
