# SPDX-License-Identifier: Apache-2.0
"""Signs and verifies with apsig: JSON asks on standard input, answers back."""

import base64
import hashlib
import json
import sys
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from apsig import ProofSigner, ProofVerifier
from apsig.draft import Signer, Verifier
from apsig.rfc9421 import RFC9421Signer
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Ask = dict[str, Any]


def sign_draft(ask: Ask) -> Ask:
    """draft-cavage headers for a request; the body is in base64."""
    body = base64.b64decode(ask["body"])
    signer = Signer(
        headers={"content-type": "application/activity+json"},
        private_key=load_pem_private_key(ask["key"].encode(), None),
        method=ask["method"],
        url=ask["url"],
        key_id=ask["key_id"],
        body=body,
    )
    return {"headers": signer.sign()}


def sign_rfc9421(ask: Ask) -> Ask:
    """RFC 9421 headers; `covered` is what the signature covers."""
    body = base64.b64decode(ask["body"])
    signer = RFC9421Signer(load_pem_private_key(ask["key"].encode(), None), ask["key_id"])
    signer.sign_headers = ask["covered"]
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    given = {
        "date": formatdate(usegmt=True),
        "content-type": "application/activity+json",
        "content-digest": f"sha-256=:{digest}:",
    }
    signed = signer.sign(ask["method"], ask["path"], ask["host"], given, body)
    # It writes a Content-Digest of its own over the one that was signed.
    return {"headers": {**signed, "content-digest": given["content-digest"]}}


def verify_draft(ask: Ask) -> Ask:
    """Whether a request was signed by the owner of a key."""
    body = base64.b64decode(ask["body"])
    verifier = Verifier(ask["key"], ask["method"], ask["url"], ask["headers"], body)
    return {"valid": verifier.verify() is not None}


def sign_proof(ask: Ask) -> Ask:
    """A document with an eddsa-jcs-2022 proof."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": ask["method"],
        "proofPurpose": "assertionMethod",
        "created": ask["created"],
    }
    signer = ProofSigner(load_pem_private_key(ask["key"].encode(), None))
    return {"document": signer.sign(ask["document"], options)}


def verify_proof(ask: Ask) -> Ask:
    """Whether a document's proof is of the owner of a multikey."""
    return {"valid": ProofVerifier(ask["key"]).verify(ask["document"]) is not None}


DEEDS: dict[str, Callable[[Ask], Ask]] = {
    "sign_draft": sign_draft,
    "sign_rfc9421": sign_rfc9421,
    "verify_draft": verify_draft,
    "sign_proof": sign_proof,
    "verify_proof": verify_proof,
}

if __name__ == "__main__":
    json.dump([DEEDS[ask["do"]](ask) for ask in json.load(sys.stdin)], sys.stdout)
