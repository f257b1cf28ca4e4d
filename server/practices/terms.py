# SPDX-License-Identifier: Apache-2.0
"""The words practices are sorted by: topics, functions, settings, licences.

Functions are the Classification of the Functions of Government (COFOG 1999, United Nations):
divisions and groups. Topics are our own short list; admins add to it and take from it.
"""

FUNCTIONS: dict[str, str] = {
    "01": "General public services",
    "01.1": "Executive and legislative organs, financial and fiscal affairs, external affairs",
    "01.3": "General services",
    "01.4": "Basic research",
    "01.6": "General public services not elsewhere classified",
    "02": "Defence",
    "02.2": "Civil defence",
    "03": "Public order and safety",
    "03.1": "Police services",
    "03.2": "Fire-protection services",
    "03.3": "Law courts",
    "03.4": "Prisons",
    "04": "Economic affairs",
    "04.1": "General economic, commercial and labour affairs",
    "04.2": "Agriculture, forestry, fishing and hunting",
    "04.3": "Fuel and energy",
    "04.4": "Mining, manufacturing and construction",
    "04.5": "Transport",
    "04.6": "Communication",
    "04.7": "Other industries",
    "05": "Environmental protection",
    "05.1": "Waste management",
    "05.2": "Waste water management",
    "05.3": "Pollution abatement",
    "05.4": "Protection of biodiversity and landscape",
    "06": "Housing and community amenities",
    "06.1": "Housing development",
    "06.2": "Community development",
    "06.3": "Water supply",
    "06.4": "Street lighting",
    "07": "Health",
    "07.1": "Medical products, appliances and equipment",
    "07.2": "Outpatient services",
    "07.3": "Hospital services",
    "07.4": "Public health services",
    "08": "Recreation, culture and religion",
    "08.1": "Recreational and sporting services",
    "08.2": "Cultural services",
    "08.3": "Broadcasting and publishing services",
    "09": "Education",
    "09.1": "Pre-primary and primary education",
    "09.2": "Secondary education",
    "09.4": "Tertiary education",
    "09.5": "Education not definable by level",
    "09.6": "Subsidiary services to education",
    "10": "Social protection",
    "10.1": "Sickness and disability",
    "10.2": "Old age",
    "10.4": "Family and children",
    "10.5": "Unemployment",
    "10.6": "Housing",
    "10.7": "Social exclusion not elsewhere classified",
}

TOPICS: dict[str, str] = {
    "accessibility": "Accessibility",
    "aging-and-care": "Aging and care",
    "benefits": "Benefits and eligibility",
    "budget-and-finance": "Budget and finance",
    "children-and-families": "Children and families",
    "climate-and-resilience": "Climate and resilience",
    "customer-service": "Counters and customer service",
    "data-sharing": "Data and data sharing",
    "digital-services": "Digital services and forms",
    "emergency-management": "Emergency management",
    "hiring-and-workforce": "Hiring and workforce",
    "housing": "Housing and homelessness",
    "inspections": "Inspections and enforcement",
    "language-access": "Language access",
    "libraries-and-culture": "Libraries and culture",
    "open-government": "Open government and participation",
    "parks": "Parks and recreation",
    "permits-and-licensing": "Permits and licensing",
    "planning-and-zoning": "Planning and zoning",
    "privacy-and-security": "Privacy and security",
    "procurement": "Procurement and contracts",
    "public-health": "Public health",
    "public-safety": "Public safety",
    "records": "Records and archives",
    "schools": "Schools and learning",
    "transport-and-streets": "Transport and streets",
    "waste-and-recycling": "Waste and recycling",
    "water": "Water and utilities",
}

LEVELS: dict[str, str] = {
    "city": "City or town",
    "county": "County",
    "district": "Special district",
    "region": "Region",
    "state": "State or province",
    "national": "National",
    "tribal": "Tribal nation",
    "other": "Other",
}

BANDS: dict[str, str] = {
    "under-10k": "Under 10,000",
    "10k-49k": "10,000–49,999",
    "50k-499k": "50,000–499,999",
    "500k-999k": "500,000–999,999",
    "1m-4m": "1–4.9 million",
    "5m-plus": "5 million and more",
}

AREAS: dict[str, str] = {
    "urban": "Urban",
    "suburban": "Suburban",
    "rural": "Rural",
    "mixed": "Mixed",
}

STAGES: dict[str, str] = {
    "idea": "An idea",
    "pilot": "Being piloted",
    "live": "In use",
    "scaled": "In use everywhere it can be",
    "ended": "Ended",
}

NOVELTIES: dict[str, str] = {
    "new-here": "New to us, known elsewhere",
    "new-to-the-field": "New to the field",
    "adaptation": "Adapted from others",
}

COSTS: dict[str, str] = {
    "1": "Hardly any",
    "2": "Low",
    "3": "Medium",
    "4": "High",
    "5": "Very high",
}

KINDS: dict[str, str] = {"practice": "Practice", "attempt": "Attempt"}

DIRECTIONS: dict[str, str] = {
    "down": "Lower is better",
    "up": "Higher is better",
    "none": "Neither is better",
}

STATISTICS: dict[str, str] = {
    "median": "Median",
    "mean": "Mean",
    "proportion": "Proportion of cases (%)",
    "count": "Count",
    "other": "Something else",
}

LICENCES: dict[str, str] = {
    "CC-BY-4.0": "Creative Commons Attribution 4.0",
    "CC0-1.0": "Creative Commons Zero (public domain)",
    "CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0",
    "OGL-UK-3.0": "Open Government Licence (UK) 3.0",
    "etalab-2.0": "Etalab Open License 2.0",
    "EUPL-1.2": "European Union Public Licence 1.2",
    "LicenseRef-US-Government-Work": "US government work (public domain in the US)",
}


def function_label(code: str) -> str:
    """What a COFOG code is called; of an unknown class its nearest known group."""
    while code:
        if code in FUNCTIONS:
            return FUNCTIONS[code]
        code = code.rpartition(".")[0]
    return ""
