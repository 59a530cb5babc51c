"""Loads the compiled catalog from the catalog layer."""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from slipway.domain.catalog import Catalog
from slipway.domain.errors import Broken, Reason

FILE_NAME: Final = "slipway_catalog.json"


def load_catalog(path: Path) -> Catalog:
    """The catalog in the compiled file; Broken(CatalogInvalid) when missing or incompatible."""
    try:
        return Catalog.model_validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        problem = f"could not be read ({error.strerror})"
    except ValidationError as error:
        problem = f"is not valid for this version of Slipway ({_first_error(error)})"
    message = f"The compiled catalog {path} {problem}. Build and deploy the catalog layer again."
    raise Broken(Reason.CATALOG_INVALID, message)


def _first_error(error: ValidationError) -> str:
    detail = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in detail["loc"])
    return f"{where}: {detail['msg']}" if where else detail["msg"]
