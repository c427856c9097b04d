"""One lock for the headers of NumPy's files, which are Python literals.

In CPython up to 3.11.8 and 3.12.1 the parser of literals counts its depth once for all threads; two that read a header
at once may then fail with "AST constructor recursion depth mismatch" (CPython's issue 106905). Whoever reads such files
in several threads holds the lock while a header is read.
"""

from __future__ import annotations

import threading

__all__ = ["HEADER_LOCK"]

HEADER_LOCK = threading.Lock()
