"""`make up`: the embedded cloud with Slipway on it, and nothing deployed yet."""

import shutil
import signal
import sys
import tempfile
from pathlib import Path

from local.cloud import Cloud
from local.narrator import Narrator
from local.standing import announce, wait_for_the_end


def main() -> int:
    """Start, deploy, announce, stay."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    narrator = Narrator()
    folder = Path(tempfile.mkdtemp(prefix="slipway-"))
    try:
        with Cloud(folder, report=narrator.say) as cloud:
            cloud.deploy()
            announce(cloud, narrator)
            wait_for_the_end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
