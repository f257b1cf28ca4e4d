# SPDX-License-Identifier: Apache-2.0
"""Reading the JSON documents of records, whoever wrote them.

`values` reads one value, `parts` an object with known members; practices and resources each
declare their records with them.
"""
