"""Compiles a layer's modules for the Python that will run them.

Lambda unpacks a layer with dates of 1980 into a read-only directory: bytecode with a timestamp
never matches, and none can be written. Unchecked-hash bytecode (PEP 552) is used as it is.
"""

import subprocess
from pathlib import Path

from packing import interpreters

_ON_LAMBDA = "/opt/python"


def compile_for(version: str, folder: Path) -> None:
    """Compile a folder that becomes /opt/python; skipped when this Python version is missing."""
    interpreter = interpreters.find(version)
    if interpreter is None:
        return
    command = [str(interpreter), "-I", "-m", "compileall", "-q", "-j", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", _ON_LAMBDA]
    # A few libraries contain files for other Python versions, which fail and are not needed.
    subprocess.run([*command, str(folder)], check=False, stdout=subprocess.DEVNULL)
