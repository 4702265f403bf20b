"""Documents that must stay in step with the code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "src").rglob("*.md"),
        *ROOT.glob("examples/*/*.md"),
    ]
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def _requirements() -> set[str]:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=!~; ]", item, maxsplit=1)[0] for items in lists for item in items}
    return names - {"leadline"}


def test_every_dependency_has_its_line_and_no_line_is_left_over() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert set(rows) == _requirements()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)|<img[^>]+src=\"([^\"]+)\"", page.read_text()):
        link = target[0] or target[1]
        if not link.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / link).exists(), f"{page.name} points to {link}, which is not there"


def test_readme_opens_with_its_two_lines_and_ci_runs_the_second() -> None:
    lines = [
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("python3 -m venv")
    ]
    assert len(lines) == 2
    assert lines[0].endswith("leadline demo")
    assert lines[1].endswith("pytest")
    assert "grep -m1 '^python3 -m venv .*pytest' README.md" in (ROOT / ".ci/run").read_text()


def test_reference_pages_are_as_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_changelog_is_kept() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "keepachangelog.com" in text
    assert re.search(r"^## \[(Unreleased|\d+\.\d+\.\d+)\]", text, re.MULTILINE)


def test_nothing_in_the_tree_knows_one_machine() -> None:
    path = re.compile(r"""["' =(`]/(work|root|home|Users|tmp)/""")
    this = Path(__file__).resolve()
    for file in _tracked():
        if file == this or file.suffix in {".png", ".jpg", ".onnx", ".webp"}:
            continue
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            assert not path.search(line), (
                f"{file.relative_to(ROOT)}:{number} holds a path of one machine: {line.strip()[:100]}"
            )


def test_python_in_the_documents_runs(tmp_path: Path, photo: Path) -> None:
    for name in ("photo.jpg", "kitchen.jpg"):
        (tmp_path / name).write_bytes(photo.read_bytes())
    for page in (ROOT / "README.md", ROOT / "docs/quickstart.md"):
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        assert blocks, f"{page.name} shows no Python"
        for block in blocks:
            done = subprocess.run(
                [sys.executable, "-c", block],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{page.name}:\n{block}\n{done.stderr}"
