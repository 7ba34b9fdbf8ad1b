"""What the documentation says of files, commands, parameters and layout, against the tree."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "data/README.md",
]
PAGES += sorted((ROOT / "docs").glob("*.md"))
EACH_PAGE = pytest.mark.parametrize(
    "path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read(path):
    return path.read_text(encoding="utf-8")


def anchors(path):
    """Anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", read(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}


@pytest.fixture(scope="module")
def document_files():
    spec = importlib.util.spec_from_file_location(
        "document_files", ROOT / "tools/document_files.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_of_files_is_what_the_declarations_say(document_files):
    assert read(ROOT / "docs/files.md") == document_files.page(), "python tools/document_files.py"


def test_every_output_is_in_the_list_of_files(document_files):
    listed = {*document_files.REPORTS, *document_files.FILES, *document_files.PLACES}
    stages = yaml.safe_load(read(ROOT / "dvc.yaml"))["stages"].values()
    outputs = [
        next(iter(entry)) if isinstance(entry, dict) else entry
        for stage in (one.get("do", one) for one in stages)
        for entry in (*stage["outs"], *stage.get("metrics", ()))
    ]
    for output in outputs:
        path = output.replace("${key}", "<family>")
        assert path in listed or any(one.startswith(f"{path}/") for one in listed), path


def test_every_listed_column_has_a_meaning(document_files):
    for path, table in document_files.PLACES.items():
        assert table.meaning, path
        assert len(set(table.names)) == len(table.names) > 0, path
        assert all(column.meaning for column in table.columns), path


@EACH_PAGE
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)]+)\)", read(path)):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


@EACH_PAGE
def test_paths_of_the_tree_exist(path):
    below = r"(?:src|stages|tools|tests|docs|examples|benchmarks)/[\w./-]+"
    for name in re.findall(rf"[`\s(]({below})", read(path)):
        assert (ROOT / name.rstrip(".")).exists(), name


@EACH_PAGE
def test_commands_are_those_of_the_makefile(path):
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", read(path), flags=re.MULTILINE)) <= targets


@EACH_PAGE
def test_parameters_are_those_of_the_study(path):
    for name in re.findall(r"-S '?([a-z_.]+)=", read(path)):
        found = yaml.safe_load(read(ROOT / "params.yaml"))
        for key in name.split("."):
            assert key in found, name
            found = found[key]


def test_the_readme_fits_on_a_screen_or_two():
    assert len(read(ROOT / "README.md").splitlines()) <= 120


def test_the_layout_is_the_one_that_the_import_contract_holds():
    rows = re.findall(
        r"^\| `(\w+)(/|\.py)` \| (.*) \| (.*) \|$", read(ROOT / "docs/design.md"), re.M
    )
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert [name for name, *_ in rows] == contract
    for name, kind, subject, modules in rows:
        assert subject
        at = ROOT / "src/smallsight" / name
        assert at.is_dir() if kind == "/" else at.with_suffix(".py").is_file()
        for module in re.findall(r"`([\w/]+)`", modules):
            inside = at / module
            assert inside.is_dir() or inside.with_suffix(".py").is_file(), f"{name}/{module}"


def test_version_and_licence_are_stated_alike():
    citation = yaml.safe_load(read(ROOT / "CITATION.cff"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in read(ROOT / "LICENSE")
    assert f"## [{PROJECT['project']['version']}]" in read(ROOT / "CHANGELOG.md")
