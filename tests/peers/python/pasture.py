# SPDX-License-Identifier: Apache-2.0
"""Prints the families of Notes that fediverse-pasture-inputs carries."""

import json
import sys

from fediverse_pasture_inputs import available

if __name__ == "__main__":
    json.dump({name: family.examples for name, family in available.items()}, sys.stdout)
