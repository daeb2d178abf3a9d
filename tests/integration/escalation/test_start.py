from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from candor_stack.issuer import LocalIssuer

PACKS = Path(__file__).resolve().parents[3] / "packs"


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKS, tmp_path / "packs"))


def start(folder: Path, packs: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kek = folder / "kek"
    kek.write_text(base64.b64encode(bytes(32)).decode())
    jwks = LocalIssuer.open(folder).jwks_file
    environment = {
        **os.environ,
        "CANDOR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "CANDOR_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "CANDOR_JWKS_FILE": str(jwks),
        "CANDOR_KEK_FILE": str(kek),
        "CANDOR_PACKS_DIR": str(packs),
        "CANDOR_LOCAL_MODE": "true",
        **more,
    }
    command = [sys.executable, "-m", "candor_escalation.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)


def test_the_service_refuses_to_start_with_a_wrong_pack_and_names_line_and_field(tmp_path: Path, packs: Path) -> None:
    wrong = packs / "eu" / "gdpr-33.yaml"
    text = wrong.read_text("utf-8").replace("due: {n: 72, unit: hours}", "due: {n: 72, unit: hour}")
    wrong.write_text(text, "utf-8")
    line = next(number for number, found in enumerate(text.splitlines(), 1) if "unit: hour}" in found)
    ended = start(tmp_path, packs)

    assert ended.returncode == 2
    assert f"{wrong}:{line}: obligations[0].due.unit: " in ended.stderr


def test_a_right_configuration_passes(tmp_path: Path, packs: Path) -> None:
    ended = start(tmp_path, packs, "--check-config", CANDOR_PROFILE='{"jurisdictions": ["CN"]}')

    assert (ended.returncode, ended.stderr) == (0, "")
