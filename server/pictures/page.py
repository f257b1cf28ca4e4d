# SPDX-License-Identifier: Apache-2.0
"""The process that draws the first page of a stranger's PDF, and then ends."""

import io
import resource
import sys

import pypdfium2

MEMORY = 2 * 1024 * 1024 * 1024
WIDTH = 800
TALLEST = 1_600
UNREADABLE = 2


def main() -> int:
    """Read a PDF from standard input, write its first page as a WebP to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
        page = document[0]
        wide, high = page.get_size()
        if wide <= 0 or high <= 0:
            return UNREADABLE
        scale = min(WIDTH / wide, TALLEST / high)
        picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    except Exception:
        # A damaged file raises nearly everything; all of it means that there is no picture.
        return UNREADABLE
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=80, method=4)
    sys.stdout.buffer.write(written.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
