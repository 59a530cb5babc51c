"""What every test may rely on: no AWS account, and no settings of the developer's."""

import os

import pytest

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(autouse=True, scope="session")
def _no_account() -> None:
    """A forgotten stub must fail here and not find a real account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(SETTINGS)
