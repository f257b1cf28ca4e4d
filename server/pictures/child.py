# SPDX-License-Identifier: Apache-2.0
"""The process that decodes a stranger's picture, and then ends."""

import io
import resource
import sys
import time

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
SIDE = 256
WIDEST = 1_600
# A film is drawn frame by frame, each as dear as a picture; at a frame's end it is known how dear.
MOST_FRAMES = 300
MOST_FILM_PIXELS = 20_000_000
LONGEST_DRAWN = 4.0
MEMORY = 1024 * 1024 * 1024
UNREADABLE, TOO_LARGE = 2, 3
HOW: dict[str, dict[str, int | bool]] = {
    "WEBP": {"quality": 86, "method": 4},
    "JPEG": {"quality": 90},
    "PNG": {"optimize": False},
}


def main() -> int:
    """Read a picture from standard input, write a WebP to standard output.

    `fitted` as the argument keeps its shape, `cleaned` its size and format as well; without one
    it becomes a square.
    """
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
            kind = "WEBP"
            if sys.argv[1:] == ["cleaned"]:
                if picture.format == "GIF" and (film := _film(picture)):
                    sys.stdout.buffer.write(film)
                    return 0
                kind = "PNG" if picture.format == "GIF" else str(picture.format)
                small = _bare(_upright(picture))
            elif sys.argv[1:] == ["fitted"]:
                small = _fitted(picture)
            else:
                picture.draft("RGB", (2 * SIDE, 2 * SIDE))
                small = _square(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return TOO_LARGE
    except Exception:
        # Decoders raise nearly everything on damaged input; all of it means the same here.
        return UNREADABLE
    written = io.BytesIO()
    small.save(written, kind, **HOW[kind])
    sys.stdout.buffer.write(written.getvalue())
    return 0


def _film(picture: Image.Image) -> bytes | None:
    """A GIF with its frames drawn anew and nothing else of it; None where it is too long.

    How long is found while going through it: what its head says of that is nobody's word.
    """
    frames: list[Image.Image] = []
    times: list[int] = []
    while True:
        pixels = (len(frames) + 1) * picture.width * picture.height
        late = time.process_time() > LONGEST_DRAWN
        if len(frames) == MOST_FRAMES or pixels > MOST_FILM_PIXELS or late:
            return None
        frames.append(_bare(picture.convert("RGBA")))
        times.append(min(60_000, max(20, int(picture.info.get("duration") or 100))))
        try:
            picture.seek(picture.tell() + 1)
        except EOFError:
            break
    written = io.BytesIO()
    frames[0].save(
        written, "GIF", save_all=True, append_images=frames[1:], duration=times, disposal=2,
        **({"loop": 0} if "loop" in picture.info else {}),
    )  # fmt: skip
    return written.getvalue()


def _fitted(picture: Image.Image) -> Image.Image:
    """The whole picture, upright, at most WIDEST pixels wide and high, as pixels only."""
    upright = _upright(picture)
    upright.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
    return _bare(upright)


def _square(picture: Image.Image) -> Image.Image:
    """The middle of a picture, upright, as pixels only (no EXIF, profile or comment)."""
    return _bare(ImageOps.fit(_upright(picture), (SIDE, SIDE), Image.Resampling.LANCZOS))


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as it is meant to be seen, in plain colours."""
    upright = ImageOps.exif_transpose(picture)
    has_alpha = upright.mode in {"LA", "PA", "RGBA"} or "transparency" in upright.info
    if picture.format == "JPEG" and has_alpha:
        return upright.convert("RGB")
    return upright.convert("RGBA" if has_alpha else "RGB")


def _bare(picture: Image.Image) -> Image.Image:
    """The pixels and nothing else: no EXIF, profile or comment."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return bare


if __name__ == "__main__":
    sys.exit(main())
