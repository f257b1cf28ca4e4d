# SPDX-License-Identifier: Apache-2.0
"""The closed lists of mentoring, with their words."""

from datetime import date

from server.mentoring.languages import said

__all__ = ["said"]

FORMATS: dict[str, str] = {
    "one-to-one": "One to one",
    "group": "Group",
    "flash": "Flash",
}
FORMAT_HINTS: dict[str, str] = {
    "one-to-one": "Two people meet over some months.",
    "group": "One mentor meets several mentees together.",
    "flash": "A single conversation about one question.",
}
LEVELS: dict[int, str] = {
    1: "Can help",
    2: "Experienced",
    3: "Expert",
}
REACHES: dict[str, str] = {
    "instance": "Members of this agency",
    "agencies": "Also mentees of agencies on our list",
}
GRADES: dict[str, str] = {
    "staff": "Staff",
    "lead": "Team lead",
    "manager": "Manager",
    "executive": "Executive",
}
# The divisions of the classification of the functions of government (United Nations, 1999).
FUNCTIONS: dict[str, str] = {
    "01": "General public services",
    "02": "Defence",
    "03": "Public order and safety",
    "04": "Economic affairs",
    "05": "Environmental protection",
    "06": "Housing and community amenities",
    "07": "Health",
    "08": "Recreation, culture and religion",
    "09": "Education",
    "10": "Social protection",
}
CONFIDENTIALITY: dict[str, str] = {
    "between-us": "What is said stays between us",
    "lessons": "Lessons may be shared, without names",
    "open": "Nothing here is confidential",
}
MOST_SKILLS = 5
LONGEST_SKILL = 60
MOST_HOURS = 40
MOST_PLACES = 20


def day(value: str | None) -> str:
    """`1 March 2027` of a day as it is stored; "" for none."""
    return f"{date.fromisoformat(value):%-d %B %Y}" if value else ""
