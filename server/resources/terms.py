# SPDX-License-Identifier: Apache-2.0
"""The words for the codes of a resource."""

KINDS: dict[str, str] = {
    "template": "Template",
    "tool": "Tool",
    "guide": "Guide",
    "dataset": "Dataset",
    "research": "Research",
    "code": "Code",
}
KINDS_EXPLAINED: dict[str, str] = {
    "template": "A document, form or plan to fill in.",
    "tool": "A spreadsheet, calculator or checklist that does something.",
    "guide": "Instructions, training material, a handbook.",
    "dataset": "Figures or registers to work with.",
    "research": "A study, an evaluation, a survey.",
    "code": "A program, a script, or where to find it.",
}
ACCESS: dict[str, str] = {
    "": "Not checked yet",
    "yes": "Checked: works with a screen reader and a keyboard",
    "partly": "Works in part",
    "no": "Does not work for everybody",
}
ACCESS_TOLD: dict[str, str] = {
    "": "Not checked yet for use with a screen reader and a keyboard",
    "yes": "Checked: works with a screen reader and a keyboard",
    "partly": "Works in part with a screen reader and a keyboard",
    "no": "Does not work for everybody",
}
"""The same where the question does not stand beside it."""
VERDICTS: dict[str, str] = {
    "as-is": "It works for us as it is",
    "changed": "It works for us after some changes",
    "not": "It did not work for us",
}
VERDICT_SENTENCES: dict[str, str] = {
    "as-is": "We use this at {agency}, as it is.",
    "changed": "We use this at {agency}, after some changes.",
    "not": "We tried this at {agency}, and it did not work for us.",
}
TYPES: dict[str, str] = {
    "application/epub+zip": "EPUB",
    "application/geo+json": "GeoJSON",
    "application/gzip": "gzip archive",
    "application/json": "JSON",
    "application/msword": "Word document (.doc)",
    "application/pdf": "PDF",
    "application/rtf": "Rich text",
    "application/vnd.ms-excel": "Excel workbook (.xls)",
    "application/vnd.ms-powerpoint": "PowerPoint file (.ppt)",
    "application/vnd.oasis.opendocument.presentation": "OpenDocument slides",
    "application/vnd.oasis.opendocument.spreadsheet": "OpenDocument spreadsheet",
    "application/vnd.oasis.opendocument.text": "OpenDocument text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint file",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel workbook",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
    "application/x-7z-compressed": "7-Zip archive",
    "application/x-tar": "tar archive",
    "application/xml": "XML",
    "application/zip": "ZIP archive",
    "audio/mpeg": "MP3 sound",
    "audio/ogg": "Ogg sound",
    "audio/wav": "WAV sound",
    "image/gif": "GIF picture",
    "image/jpeg": "JPEG picture",
    "image/png": "PNG picture",
    "image/webp": "WebP picture",
    "text/calendar": "Calendar file",
    "text/csv": "CSV table",
    "text/html": "HTML",
    "text/markdown": "Markdown",
    "text/plain": "Plain text",
    "text/tab-separated-values": "Table with tabs",
    "video/mp4": "MP4 video",
    "video/webm": "WebM video",
}


def type_label(media_type: str) -> str:
    """What a media type is called by people; itself where nobody has a word for it."""
    return TYPES.get(media_type, media_type or "File")


def size_label(size: int) -> str:
    """`840 bytes`, `12 kB`, `3.4 MB`: by thousands, as the desktops of most people count."""
    if size < 1_000:
        return f"{size} bytes"
    number = float(size)
    for unit in ("kB", "MB", "GB"):
        number /= 1_000
        if number < 999.5 or unit == "GB":
            return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"
    raise AssertionError(size)
