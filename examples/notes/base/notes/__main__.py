"""Start the service with `python -m notes`; SIGTERM lets requests in flight finish and exits 0."""

import signal
import sys
from types import FrameType

import uvicorn

from notes.settings import SettingError, Settings


def main() -> None:
    """Serve until SIGTERM; a wrong setting ends with one sentence and exit code 1."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        settings = Settings.from_env()
    except SettingError as error:
        sys.exit(f"notes cannot start: {error}")
    from notes.web import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=settings.access_log,
        timeout_graceful_shutdown=20,
    )


def _leave(signum: int, frame: FrameType | None) -> None:
    """Uvicorn raises SIGTERM again after a graceful stop; that is a success, not a crash."""
    sys.exit(0)


if __name__ == "__main__":
    main()
