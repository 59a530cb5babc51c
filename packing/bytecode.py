"""Compiles a layer's modules for the Python that will run them.

Lambda unpacks a layer with dates of 1980 into a read-only place: bytecode that carries a date never
fits, and none can be written. Unchecked-hash bytecode is taken as it is.
"""

import subprocess
from pathlib import Path

from packing import interpreters

_ON_LAMBDA = "/opt/python"


def compile_for(version: str, folder: Path) -> None:
    """Compile everything in a folder that becomes /opt/python; without the version, leave it be."""
    interpreter = interpreters.find(version)
    if interpreter is None:
        return
    command = [str(interpreter), "-I", "-m", "compileall", "-q", "-j", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", _ON_LAMBDA]
    # A few libraries carry files for other Python versions; those fail and are not needed.
    subprocess.run([*command, str(folder)], check=False, stdout=subprocess.DEVNULL)
