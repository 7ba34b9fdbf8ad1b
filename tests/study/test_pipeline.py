"""dvc.yaml against the code: what each stage lists is what it imports and reads."""

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}
WHOLE = {"params.yaml": None}
"""How a stage lists all parameters."""


def script(stage):
    return ROOT / STAGES[stage]["cmd"].split()[1]


def paths(entries):
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


LIBRARY = ROOT / "src/smallsight"
FAMILIES = LIBRARY / "conditions/families"
PACKAGES_WITH_CODE = {LIBRARY / "phantom/__init__.py", FAMILIES / "__init__.py"}
"""All other packages begin with a docstring and nothing else."""
LAZY = {LIBRARY / "__init__.py", LIBRARY / "report/__init__.py"}
"""But for those with Python's way in, which import what stands above them when it is asked for."""
FINDERS = {FAMILIES / "__init__.py", LIBRARY / "report/sections/registry.py"}
"""Modules that import whatever lies beside them."""
MOST_ENTRIES = 140
"""Of source that dvc.yaml may list: beyond, nobody reads it."""


def imported(path):
    """Files of this package that one file imports, by whatever form of import."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            at = ROOT / "src" / name.replace(".", "/")
            candidates = {at.with_suffix(".py"), *({at / "__init__.py"} & PACKAGES_WITH_CODE)}
            found |= {file for file in candidates if file.is_file()}
    # Families and sections are found by lying in their folders.
    for finder in FINDERS & found:
        found |= set(finder.parent.glob("*.py")) - {finder.parent / "__init__.py"}
    return found


def closure(path):
    """Files of this package that one file imports, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        new = imported(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def held(entry):
    """Files of this package that an entry of dvc.yaml stands for; `${key}` is any family."""
    return {
        file
        for at in ROOT.glob(entry.replace("${key}", "*"))
        for file in (at.rglob("*.py") if at.is_dir() else [at])
    }


def sources(stage):
    return [path for path in paths(STAGES[stage]["deps"]) if path.startswith("src/")]


def attributes(path):
    """Dotted names that a script reads off `parameters`, the longest of each chain."""
    chains = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    aliases = {"parameters": ""}
    for node in ast.walk(tree):
        # `settings = parameters.backbone` and the like, alone or in a tuple
        if isinstance(node, ast.Assign):
            pairs = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(node.targets[0].elts, node.value.elts, strict=True))
            for target, value in pairs:
                chain = dotted(value)
                if isinstance(target, ast.Name) and chain and chain[0] in aliases and chain[1:]:
                    prefix = aliases[chain[0]]
                    aliases[target.id] = ".".join(filter(None, (prefix, *chain[1:])))
    for node in ast.walk(tree):
        chain = dotted(node)
        if chain and chain[0] in aliases and id(node) not in inner:
            chains.add(".".join(filter(None, (aliases[chain[0]], *chain[1:]))))
    return chains - {""}


def dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else None


def listed_parameters(stage):
    return [str(name).replace("${key}", "*") for name in STAGES[stage]["params"]]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_script_imports_is_listed(stage):
    listed = {file for entry in sources(stage) for file in held(entry)}
    missing = sorted(str(file.relative_to(ROOT)) for file in closure(script(stage)) - listed)
    assert missing == []


@pytest.mark.parametrize("stage", STAGES)
def test_each_listed_entry_holds_something_that_is_imported(stage):
    found = closure(script(stage))
    assert [entry for entry in sources(stage) if not held(entry) & found] == []


@pytest.mark.parametrize("stage", STAGES)
def test_no_entry_lies_in_another_one(stage):
    entries = sources(stage)
    assert len(set(entries)) == len(entries)
    assert [
        (one, other) for one in entries for other in entries if one.startswith(f"{other}/")
    ] == []


def test_the_pipeline_stays_short():
    assert sum(len(sources(stage)) for stage in STAGES) <= MOST_ENTRIES


def test_packages_begin_with_a_docstring_and_nothing_else():
    for file in set(LIBRARY.rglob("__init__.py")) - PACKAGES_WITH_CODE - LAZY:
        (statement,) = ast.parse(file.read_text(encoding="utf-8")).body
        assert isinstance(statement.value, ast.Constant), file


def test_an_edited_family_is_rendered_again_and_no_other_one():
    entries = sources("render")
    assert "src/smallsight/conditions/families/${key}.py" in entries
    assert not any(FAMILIES / "zoom.py" in held(entry) for entry in entries if "$" not in entry)
    assert not any(held(entry) & set(FAMILIES.glob("*.py")) for entry in sources("features"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_its_own_script(stage):
    assert str(script(stage).relative_to(ROOT)) in STAGES[stage]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_loads_weights_lists_the_file_they_may_come_from(stage):
    loads = LIBRARY / "backbones/networks/weight_sources.py" in imported(script(stage))
    assert ("${backbone.checkpoint}" in STAGES[stage]["deps"]) == loads
    assert loads == (stage in ("check", "backbone"))


def test_a_report_lists_its_templates():
    assert any(
        (LIBRARY / "report/templates").is_relative_to(ROOT / entry) for entry in sources("report")
    )


@pytest.mark.parametrize("stage", [name for name in STAGES if STAGES[name]["params"] != [WHOLE]])
def test_a_stage_lists_the_parameters_it_reads(stage):
    read, listed = attributes(script(stage)), listed_parameters(stage)
    for name in read:
        covered = any(name == entry or name.startswith(f"{entry}.") for entry in listed)
        family = name == "conditions" and any(e.startswith("conditions.") for e in listed)
        held_below = any(entry.startswith(f"{name}.") for entry in listed)
        assert covered or family or held_below, f"{stage} reads {name}, dvc.yaml does not list it"
    for entry in listed:
        used = any(
            name == entry or entry.startswith(f"{name}.") or name.startswith(f"{entry}.")
            for name in read
        )
        assert used, f"{stage} lists {entry}, which stages/{stage}.py does not read"


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "check"])
def test_every_stage_waits_for_the_check(stage):
    assert "data/checked.txt" in STAGES[stage]["deps"]


def options_of(stage):
    """Give the options of those outputs that have any."""
    return {
        path: options
        for out in STAGES[stage]["outs"]
        if isinstance(out, dict)
        for path, options in out.items()
    }


@pytest.mark.parametrize("stage", STAGES)
def test_no_output_switches_the_run_cache_off_needlessly(stage):
    kept = {path for path, options in options_of(stage).items() if options == {"persist": True}}
    assert kept <= {"data/source/instances.json", "data/images"}
    assert all(
        options in ({"persist": True}, {"push": False}) for options in options_of(stage).values()
    )


def test_what_can_be_made_again_is_not_pushed():
    unpushed = {
        path for stage in STAGES for path, options in options_of(stage).items() if "push" in options
    }
    assert unpushed == {"data/conditions/${key}", "data/features/${key}"}


def test_artifacts_are_outputs_that_are_pushed():
    outputs = {
        path
        for stage in STAGES
        for path in paths(STAGES[stage]["outs"])
        if path not in options_of(stage)
    }
    artifacts = PIPELINE["artifacts"]
    assert set(artifacts) == {"checkpoint", "sample"}
    assert {one["path"] for one in artifacts.values()} <= outputs
    assert all(one["desc"] and one["labels"] for one in artifacts.values())


@pytest.mark.parametrize("stage", STAGES)
def test_a_script_names_only_files_that_dvc_knows(stage):
    """Paths in a script's constants are inputs or outputs of its stage, or lie in one."""
    known = paths(STAGES[stage]["deps"]) + paths(STAGES[stage]["outs"])
    known += paths(STAGES[stage].get("metrics", []))
    known = [path.replace("/${key}", "") for path in known]
    constants = {
        node.value
        for node in ast.walk(ast.parse(script(stage).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {text for text in constants if text.startswith(("data/", "reports/"))}
    # `sample` writes where the pictures will be; it does not read them.
    named -= {"data/images"} if stage == "sample" else set()
    for path in named:
        inside = any(f"{path}/".startswith(f"{at}/") for at in known)
        assert inside or any(at.startswith(f"{path}/") for at in known), path
