# SPDX-License-Identifier: Apache-2.0
"""publiccode.yml is read within bounds, and written so that it says the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Invalid
from server.records.parts import members
from server.records.values import Faults
from server.resources import publiccode
from server.resources.record import Record
from server.resources.software import Software
from tests.house.sources import ROOT

MINE = (ROOT / "publiccode.yml").read_text(encoding="utf-8")
MEDUSA = """\
publiccodeYmlVersion: "0.4"
name: Medusa
url: https://example.org/medusa.git
softwareVersion: 1.10
releaseDate: 2026-03-01
developmentStatus: stable
platforms: [web, linux]
isBasedOn: [https://example.org/gorgon.git]
dependsOn:
  open: [{name: PostgreSQL, versionMin: "15"}, {name: Redis, version: "7"}]
maintenance: {type: contract, contacts: [{name: Permit office, email: permits@example.org}]}
localisation: {localisationReady: yes, availableLanguages: [en, es]}
usedBy: [City of Riverton]
fundedBy: [{name: State of Cascadia, uri: https://cascadia.example}]
organisation: {uri: "urn:x-state:7", name: State of Cascadia}
legal: {license: EUPL-1.2}
description:
  de: {shortDescription: Kurz}
  en: {shortDescription: Counts permits., longDescription: In full., features: [Counts, Sorts]}
"""
HOSTILE = {
    "aliases": "name: &a [x, x]\nurl: [*a, *a]\n",
    "a program": 'name: !!python/object/apply:os.system ["true"]\n',
    "depth": "name: " + "[" * 3_000,
    "deep but whole": "name: " + "[" * 20 + "]" * 20,
    "many": "name: [" + "a," * 8_000 + "]",
    "two documents": "name: a\n---\nname: b\n",
    "no mapping": "- name",
    "of something else": "kind: Pod\n",
    "odd keys": "? [a, b]\n: c\nname: x\n",
    "long": "name: " + "x" * 40_000,
    "control": "name: \x07\n",
    "wrong date": MEDUSA.replace("2026-03-01", "soon"),
    "wrong status": MEDUSA.replace("stable", "splendid"),
}


def test_a_form_is_filled_in_from_it() -> None:
    found = publiccode.prefilled(MEDUSA, "en")
    assert found == {
        "kind": "code",
        "name": "Medusa",
        "summary": "Counts permits.",
        "description": "In full.\n\n- Counts\n- Sorts",
        "language": "en",
        "label": "1.10",
        "link": "https://example.org/medusa.git",
        "license": "EUPL-1.2",
        "contact": "Permit office, permits@example.org",
    }
    software = publiccode.software_of(MEDUSA)
    assert software["dependsOn"] == ["PostgreSQL", "Redis, 7"]
    assert (software["released"], software["localised"]) == ("2026-03-01", True)
    assert software["fundedBy"] == ["State of Cascadia, https://cascadia.example"]
    assert publiccode.prefilled(MINE, "en")["license"] == "Apache-2.0"
    assert publiccode.software_of("") == {}


@pytest.mark.parametrize("case", HOSTILE)
def test_DOS_06_what_is_wrong_in_it_is_a_sentence(case: str) -> None:
    for read in (publiccode.software_of, lambda text: publiccode.prefilled(text, "en")):
        with pytest.raises(Invalid) as refused:
            read(HOSTILE[case])
        assert list(refused.value.fields) == ["publiccode"]
        assert refused.value.fields["publiccode"].endswith(".")


LINES = st.lists(st.text("ab :-#'\"&*!%@`{}[]ü", min_size=1, max_size=20), max_size=3)


@given(LINES, LINES, st.booleans(), st.sampled_from(["", "stable"]), LINES)
def test_what_is_written_is_read_as_it_was(
    platforms: list[str], needs: list[str], is_localised: bool, status: str, contacts: list[str]
) -> None:
    said = {
        "platforms": platforms, "dependsOn": needs, "localised": is_localised, "status": status,
        "contacts": contacts,
    }  # fmt: skip
    record = Record.parse({"v": 1, "name": "A", "summary": "B", "software": said}, "", Faults())
    written = publiccode.export(record, "https://a.example/p/1", "en")
    assert publiccode.software_of(written) == record.software.dump()
    assert publiccode.prefilled(written, "en")["name"] == "A"
    assert isinstance(record.software, Software)


@given(st.text(max_size=200) | st.text("[]{}:,-&*!|>\n\t a", max_size=200))
def test_whatever_it_says_there_is_an_answer(written: str) -> None:
    try:
        found = publiccode.software_of(f"name: x\n{written}")
    except Invalid as refused:
        found = dict(refused.fields)
    assert found.keys() <= {"publiccode", *(wire for _, wire, _ in members(Software))}
