# SPDX-License-Identifier: Apache-2.0
"""The process that decodes a stranger's picture, and then ends."""

import io
import resource
import sys

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
SIDE = 256
MEMORY = 1024 * 1024 * 1024
UNREADABLE, TOO_LARGE = 2, 3


def main() -> int:
    """Read a picture from standard input, write a square WebP to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS) as picture:
            # Only the header has been read so far.
            if picture.width * picture.height > MOST_PIXELS:
                return TOO_LARGE
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))
            small = _square(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return TOO_LARGE
    except Exception:
        # Decoders raise nearly everything on damaged input; all of it means the same here.
        return UNREADABLE
    written = io.BytesIO()
    small.save(written, "WEBP", quality=86, method=4)
    sys.stdout.buffer.write(written.getvalue())
    return 0


def _square(picture: Image.Image) -> Image.Image:
    """The middle of a picture, upright, as pixels only (no EXIF, profile or comment)."""
    upright = ImageOps.exif_transpose(picture)
    has_alpha = upright.mode in {"LA", "PA", "RGBA"} or "transparency" in upright.info
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    fitted = ImageOps.fit(plain, (SIDE, SIDE), Image.Resampling.LANCZOS)
    bare = Image.new(fitted.mode, fitted.size)
    bare.paste(fitted)
    return bare


if __name__ == "__main__":
    sys.exit(main())
