# SPDX-License-Identifier: Apache-2.0
"""The terms in which something is offered and agreed on (FEP-0837)."""

from typing import Any, Final

_VF: Final = "https://w3id.org/valueflows/ont/vf#"
_OM: Final = "http://www.ontology-of-units-of-measure.org/resource/om-2/"
MARKETPLACE_TERMS: Final[dict[str, Any]] = {
    **{
        name: f"{_VF}{name}"
        for name in (
            *("Agreement", "Commitment", "Intent", "action", "deliverService", "publishes"),
            *("purpose", "resourceQuantity", "satisfies", "stipulates"),
        )
    },
    "hasUnit": f"{_OM}hasUnit",
    "hasNumericalValue": f"{_OM}hasNumericalValue",
}
# A service, of which one can have some.
OFFERED: Final[dict[str, Any]] = {
    "type": "Intent",
    "action": "deliverService",
    "resourceQuantity": {"hasUnit": "one"},
}
