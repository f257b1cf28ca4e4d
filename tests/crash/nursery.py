# SPDX-License-Identifier: Apache-2.0
"""The nursery, in whose processes passwords take next to no time to hash."""

from argon2 import PasswordHasher

from server.members import passwords
from web.cli.nursery import main

passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

if __name__ == "__main__":
    main()
