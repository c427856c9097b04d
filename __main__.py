"""``biomark`` and ``python -m biomark``: the command line, its errors told in a line each, its exit codes.

0 is success, 1 a failure of the work itself, 2 something that the caller has to change, 130 an interruption.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .errors import FailedWorkError

__all__ = ["main"]

# Which extra brings a module that a command may miss.
_EXTRA_OF = dict.fromkeys(("SimpleITK", "safetensors", "timm", "timm_3d", "torch", "torchvision"), "zoo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code. With ``BIOMARK_TRACEBACK`` set in the environment, unforeseen errors are raised instead.
    """
    try:
        return _run(None if arguments is None else list(arguments))
    except KeyboardInterrupt:
        return _interrupted()
    except OSError as error:
        return _told(_reason(error), 1)
    except MemoryError:
        return _told("there is not enough memory for this", 1)
    except FailedWorkError as error:
        return _told(str(error), 1)
    except Exception as error:
        if os.environ.get("BIOMARK_TRACEBACK"):
            raise
        return _told(
            f"unforeseen {type(error).__name__}: {error}\n"
            "This is an error of biomark; please report it with what BIOMARK_TRACEBACK=1 shows.",
            1,
        )


def _run(arguments: list[str] | None) -> int:
    import click

    from .cli import cli
    from .errors import BiomarkError, MissingExtraError

    # Names from files may hold letters that a terminal's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(arguments, prog_name="biomark", standalone_mode=False)
    except click.Abort:
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BiomarkError as error:
        return _told(str(error), 2)
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        return _told(str(MissingExtraError("this command", extra)), 2)
    return code if isinstance(code, int) else 0


def _told(message: str, code: int) -> int:
    from .viz.control_characters import visible

    print(visible(f"biomark: {message}", keep="\n\t"), file=sys.stderr)
    return code


def _interrupted() -> int:
    print("biomark: interrupted", file=sys.stderr)
    return 130


def _reason(error: OSError) -> str:
    """Return what failed and where, without the number."""
    place = f"{error.filename}: " if error.filename is not None else ""
    return f"{place}{error.strerror or error}"


if __name__ == "__main__":
    sys.exit(main())
