"""Generate the Python modules from `protos/`: `python -m candor_wire.generate [OUTPUT]`.

The schema of the constraints (`buf/validate/validate.proto`) is taken from its published package at the pinned version
and checksum; it is laid beside the local stack's data and never copied into the repository.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from importlib import resources
from pathlib import Path

import jgo
from grpc_tools import protoc

VALIDATE_PACKAGE = "build.buf:protovalidate:1.0.0"
VALIDATE_SHA256 = "780f450e5e1b773cb6c52d32b93655ec915187d2c777aa9ddc0119b573c1e1d2"
ROOT = Path(__file__).resolve().parents[4]
VALIDATE_DIR = ROOT / ".candor" / "validate"
OUTPUT = ROOT / "libs" / "wire" / "src"


def lay_validate_proto(into: Path = VALIDATE_DIR) -> None:
    """Lay `buf/validate/validate.proto` under `into`, fetching it where it is missing.

    Raises:
        SystemExit: what was fetched is not what is pinned.
    """
    target = into / "buf" / "validate" / "validate.proto"
    if target.is_file() and _sha256(target.read_bytes()) == VALIDATE_SHA256:
        return
    print(f"fetching {VALIDATE_PACKAGE}", file=sys.stderr)  # noqa: T201 - progress for a person
    environment = jgo.build(VALIDATE_PACKAGE, cache_dir=ROOT / ".candor" / "cache" / "jgo")
    jar = next(path for path in Path(environment.path).rglob("protovalidate-*.jar"))
    with zipfile.ZipFile(jar) as archive:
        text = archive.read("buf/validate/validate.proto")
    if _sha256(text) != VALIDATE_SHA256:
        msg = f"{VALIDATE_PACKAGE} holds another validate.proto than the one pinned here; fetch again or check the pin"
        raise SystemExit(msg)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text)


def generate(output: Path = OUTPUT) -> list[Path]:
    """Generate every module below `output`; what was generated there before is removed first.

    Returns:
        The packages written: `output/candor` and `output/buf`.

    Raises:
        SystemExit: the compiler refused a schema; it has said where and why.
    """
    lay_validate_proto()
    packages = [output / "candor", output / "buf"]
    for package in packages:
        shutil.rmtree(package, ignore_errors=True)
    sources = sorted((ROOT / "protos").rglob("*.proto"))
    validate = VALIDATE_DIR / "buf" / "validate" / "validate.proto"
    well_known = resources.files("grpc_tools") / "_proto"
    outputs = [f"--{plugin}_out={output}" for plugin in ("python", "grpc_python", "mypy", "mypy_grpc")]
    includes = [f"-I{ROOT / 'protos'}", f"-I{VALIDATE_DIR}", f"-I{well_known}"]
    _put_plugins_on_path()
    if protoc.main(["protoc", *includes, *outputs, *map(str, [*sources, validate])]) != 0:
        raise SystemExit(1)
    _drop_empty_stubs(output)
    return packages


def _drop_empty_stubs(output: Path) -> None:
    """Only files that hold a service need a gRPC module."""
    for module in output.rglob("*_pb2_grpc.py"):
        if "class " not in module.read_text(encoding="utf-8"):
            module.unlink()
            module.with_suffix(".pyi").unlink(missing_ok=True)


def _put_plugins_on_path() -> None:
    import os

    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
