# SPDX-License-Identifier: Apache-2.0
"""The practice of the examples that FEDERATION.md shows."""

from server.practices import record

RECORD = record.parse(
    {
        "v": 1,
        "kind": "practice",
        "name": "Digital permits",
        "summary": "A form that refuses incomplete applications cut permit time by 40 %.",
        "agency": "City of Lakeside",
        "problem": "Two thirds of applications came back.",
        "solution": "The form says what is missing before it is sent.",
        "setting": {"country": "US", "level": "city", "populationBand": "50k-499k"},
        "steps": [
            {"title": "Sort returned applications", "role": "Permit manager"},
            {"title": "Write the checks"},
            {"title": "Switch on", "pitfall": "Nobody is sent away."},
        ],
        "outcomes": [
            {
                "indicator": "Days from filing to permit",
                "unit": "days",
                "direction": "down",
                "statistic": "median",
                "baseline": {"value": 21, "date": "2025-01", "n": 1204},
                "target": {"value": 14},
                "actual": {"value": 12.6, "date": "2025-09", "n": 1187},
            }
        ],
        "topics": ["permits-and-licensing"],
        "license": "CC-BY-4.0",
    }
)
