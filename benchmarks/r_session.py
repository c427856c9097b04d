"""One R process with pROC, kept open: it is handed data once and times its own expressions."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

END = "--end--"


class RSession:
    """Runs R code line by line; `start` gives None where R or pROC is absent."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            ["R", "--vanilla", "--no-echo"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
        )  # fmt: skip
        self.proc_version = self.run(
            'suppressMessages(library(pROC)); cat(as.character(packageVersion("pROC")))'
        )

    @classmethod
    def start(cls) -> RSession | None:
        if shutil.which("R") is None:
            return None
        session = cls()
        return session if session.proc_version else None

    def run(self, code: str) -> str:
        """Run code and return what it printed; an error in it ends the process, and gives nothing."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(f'{code}\ncat("\\n{END}\\n")\n')
            self._process.stdin.flush()
        except BrokenPipeError:
            return ""
        printed = []
        for line in self._process.stdout:
            if line.strip() == END:
                break
            printed.append(line)
        return "".join(printed).strip()

    def give(self, **arrays: np.ndarray) -> None:
        """Make the arrays known in R under their names."""
        for name, array in arrays.items():
            path = Path(self._folder.name) / name
            np.asarray(array, dtype=np.float64).tofile(path)
            self.run(f'{name} <- readBin("{path}", "double", {array.size})')

    def seconds(self, code: str) -> float:
        """Processor seconds of the code, timed in R, so that nothing of the pipe counts."""
        taken = self.run(f"invisible(gc()); cat(sum(system.time({{ {code} }}, gcFirst = FALSE)[1:2]))")
        if not taken:
            raise RuntimeError(f"R failed in: {code}")
        return float(taken)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)
        self._folder.cleanup()
