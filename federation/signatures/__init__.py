# SPDX-License-Identifier: Apache-2.0
"""Signs and verifies requests and documents."""
