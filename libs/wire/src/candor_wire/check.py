"""Check the schemas and the generated modules: `python -m candor_wire.check`.

Lint (buf, STANDARD), layout, breaking changes against the released schemas (buf, FILE), and that generating again
leaves no difference. `--release` takes the present schemas as the released ones.
"""

from __future__ import annotations

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

from candor_wire.generate import OUTPUT, ROOT, generate, lay_validate_proto

RELEASED = ROOT / "protos" / "released.binpb"
BUF = Path(sys.executable).with_name("buf")


def main() -> int:
    """Run every check, all of them even where one fails; return 1 when one did."""
    lay_validate_proto()
    if "--release" in sys.argv:
        return _buf("build", "protos", "-o", str(RELEASED))
    failed = [
        _buf("lint"),
        _buf("format", "--diff", "--exit-code", "protos"),
        _buf("breaking", "protos", "--against", str(RELEASED)),
        _differences(),
    ]
    return 1 if any(failed) else 0


def _buf(*arguments: str) -> int:
    return subprocess.run([BUF, *arguments], cwd=ROOT, check=False).returncode


def _differences() -> int:
    with tempfile.TemporaryDirectory() as name:
        packages = generate(Path(name))
        wrong = [path for package in packages for path in _different(package, OUTPUT / package.name)]
    for path in wrong:
        print(f"{path} is not what protos/ says; run `make protos`", file=sys.stderr)  # noqa: T201 - for a person
    return len(wrong)


def _different(new: Path, old: Path) -> list[Path]:
    found = {path.relative_to(new) for path in new.rglob("*.py*")} | {
        path.relative_to(old) for path in old.rglob("*.py*") if "__pycache__" not in path.parts
    }
    return sorted(
        old / path
        for path in found
        if not (
            (new / path).is_file() and (old / path).is_file() and filecmp.cmp(new / path, old / path, shallow=False)
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
