"""Images: the same digest everywhere, labels for Slipway, and safe unpacking."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cloud.image import Image, build_image, build_version, main
from cloud.live.image_roots import ImageRoots
from cloud.twin.clock import LiveClock
from cloud.twin.ecr.api import EcrModel
from cloud.twin.errors import AwsError
from examples.notes.versions import VERSIONS
from tests.integration.twin.data_cloud import REGISTRY, ROOT, put_version, virtual_world

LABELS = {"org.opencontainers.image.version": "1"}


def test_the_same_folder_has_the_same_digest_whatever_its_times_and_place(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "b.txt").write_text("b")
        (folder / "a.sh").write_text("a")
        (folder / "a.sh").chmod(0o700 if name == "one" else 0o775)
        digests.add(build_image(folder, ["run"], {}, LABELS).digest)

    assert len(digests) == 1


def test_a_version_has_the_same_digest_in_another_process() -> None:
    code = "from cloud.image import *; print(build_version(VERSIONS['v2']).digest)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == build_version(VERSIONS["v2"]).digest


def test_a_manifest_names_its_parts_by_digest_and_size() -> None:
    image = build_version(VERSIONS["v1"])
    manifest = json.loads(image.manifest)
    config, layer = image.blobs

    for described, blob in ((manifest["config"], config), (manifest["layers"][0], layer)):
        assert described["digest"] == "sha256:" + hashlib.sha256(blob).hexdigest()
        assert described["size"] == len(blob)


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_the_schema_label_is_the_head_of_the_migrations_inside(name: str) -> None:
    config, layer = build_version(VERSIONS[name]).blobs
    label = json.loads(config)["config"]["Labels"]["dev.slipway.schema"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        names = [Path(each).stem for each in tar.getnames() if "/versions/" in each]

    assert label == (max(names) if names else "base")


def test_an_image_is_unpacked_once_per_digest(tmp_path: Path) -> None:
    ecr, roots = _registry(tmp_path)
    digest = put_version(ecr, "notes", "2", "v2")

    root, config = roots.image_root(f"{REGISTRY}/notes:2")
    (root / "mark").touch()
    again, _ = roots.image_root(f"{REGISTRY}/notes@{digest}")

    assert again == root
    assert (again / "mark").exists()
    assert (root / "srv" / "alembic.ini").is_file()
    assert config["WorkingDir"] == "/srv"
    assert config["Cmd"] == ["python", "-m", "notes"]
    assert config["Env"] == ["APP_VERSION=2", "PYTHONUNBUFFERED=1"]


def test_an_index_gives_the_image_of_the_platform_asked_for(tmp_path: Path) -> None:
    ecr, roots = _registry(tmp_path)
    _put(ecr, build_version(VERSIONS["v2"], ("amd64", "arm64")), "2")

    amd64, _ = roots.image_root(f"{REGISTRY}/notes:2", "amd64")
    arm64, _ = roots.image_root(f"{REGISTRY}/notes:2", "arm64")

    assert amd64 != arm64
    with pytest.raises(AwsError, match="linux/riscv64"):
        roots.image_root(f"{REGISTRY}/notes:2", "riscv64")


@pytest.mark.parametrize("name", ["../outside", "/../../outside"])
def test_a_layer_that_reaches_out_of_its_image_is_refused(tmp_path: Path, name: str) -> None:
    ecr, roots = _registry(tmp_path)
    _put(ecr, _image_of(_tar({name: b"x"})), "bad")

    with pytest.raises(AwsError, match="reaches out"):
        roots.image_root(f"{REGISTRY}/notes:bad")
    assert not list(tmp_path.parent.rglob("outside"))


def test_a_later_layer_replaces_and_removes_files_of_an_earlier_one(tmp_path: Path) -> None:
    ecr, roots = _registry(tmp_path)
    below = _tar({"etc/kept": b"1", "etc/gone": b"1", "etc/changed": b"1"})
    above = _tar({"etc/.wh.gone": b"", "etc/changed": b"2"})
    _put(ecr, _image_of(below, above), "layers")

    root, _ = roots.image_root(f"{REGISTRY}/notes:layers")

    found = {path.name: path.read_bytes() for path in (root / "etc").iterdir()}
    assert found == {"kept": b"1", "changed": b"2"}


def test_the_command_line_says_in_one_sentence_that_nobody_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--registry", "http://127.0.0.1:9", "--repository", "notes", "--version", "v1"]

    assert main(["push", *options]) == 1
    assert capsys.readouterr().err == "push failed: no registry answers at http://127.0.0.1:9\n"


def _registry(folder: Path) -> tuple[EcrModel, ImageRoots]:
    _, world, _ = virtual_world()
    ecr = EcrModel(world)
    ecr.create_repository({"repositoryName": "notes"})
    return ecr, ImageRoots(ecr, LiveClock().lock, folder / "roots")


def _put(ecr: EcrModel, image: Image, tag: str | None) -> None:
    for child in image.children:
        _put(ecr, child, None)
    for blob in image.blobs:
        ecr.put_layer("notes", blob)
    params = {"repositoryName": "notes", "imageManifest": image.manifest.decode()}
    ecr.put_image({**params, **({"imageTag": tag} if tag else {})})


def _image_of(*layers: bytes) -> Image:
    blobs = (b"{}", *layers)
    described = [
        {"digest": "sha256:" + hashlib.sha256(blob).hexdigest(), "size": len(blob)}
        for blob in blobs
    ]
    manifest = {"config": described[0], "layers": described[1:]}
    media_type = "application/vnd.oci.image.manifest.v1+json"
    return Image(media_type, json.dumps(manifest).encode(), blobs=blobs)


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
