import pytest

from builders.compared_studies import FILES, climbed, facts_of, predicted, side_of, write_study
from readers.comparison_pages import text_of
from smallsight.analysis.failures import FAILURES
from smallsight.comparison import inputs
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.page import build
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation.tables import PREDICTIONS, RUNG_PREDICTIONS
from smallsight.runtime.errors import SmallsightError
from smallsight.sampling.sample import SAMPLE


@pytest.mark.parametrize(
    ("wanted", "declared"),
    [
        (inputs.WANTED_OF_SAMPLE, SAMPLE),
        (inputs.WANTED_OF_PREDICTIONS, PREDICTIONS),
        (inputs.WANTED_OF_RUNGS, RUNG_PREDICTIONS),
        (inputs.WANTED_OF_FAILURES, FAILURES),
        (inputs.WANTED_OF_VIEWS, VIEWS),
    ],
)
def test_all_columns_are_declared_where_they_are_made(wanted, declared):
    assert set(wanted) <= set(declared.names)


def stage_of(**deps):
    deps = [{"path": path, "md5": digest} for path, digest in deps.items()]
    return {"stages": {"train": {"deps": deps, "outs": [{"path": "data/made"}]}}}


def test_code_that_differs_is_told_and_what_stages_made_is_not(sides, sample, tmp_path):
    both = []
    for name, digest in (("a", "1" * 32), ("b", "2" * 32)):
        lock = stage_of(**{"src/heads.py": digest, "src/same.py": "3" * 32, "data/made": digest})
        (tmp_path / name).mkdir()
        (tmp_path / name / "dvc.yaml").write_text("stages: {train: {cmd: x}}\n")
        write_study(tmp_path / name, sample, predicted(sample), lock=lock)
        both.append(side_of(tmp_path / name, name=name))
    made = compare_studies(*both)
    assert [tuple(one) for one in made.sources] == [("src/heads.py", "1" * 12, "2" * 12)]
    text = text_of(build(made, most=0))
    assert "Code or data beside the parameters differs, by dvc.lock: src/heads.py." in text


CHANGED = {
    "another value": ({"heads": {"epochs": 4}}, "heads.epochs: 5; expected 4, as when stage train"),
    "a key too many": ({"heads": {}}, "heads.epochs: 5; expected absent"),
    "a key too few": ({"heads": {"epochs": 5, "rate": 1}}, "heads.rate: absent; expected 1"),
}


@pytest.mark.parametrize(("recorded", "words"), CHANGED.values(), ids=CHANGED)
def test_parameters_changed_since_the_run_are_refused(sample, tmp_path, recorded, words):
    lock = {"stages": {"train": {"params": {"params.yaml": recorded}}}}
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: x}}\n")
    write_study(tmp_path, sample, predicted(sample), lock=lock)
    with pytest.raises(SmallsightError) as caught:
        side_of(tmp_path, name="workspace")
    assert f"params.yaml at workspace: {words}" in str(caught.value)


def test_what_is_left_of_stages_long_gone_says_nothing(sample, tmp_path):
    lock = {"stages": {
        "train": {"params": {"params.yaml": {"heads": {"epochs": 5}, "seed": 0}}},
        "gone": {"params": {"params.yaml": {"seed": 77}}},
        "render@gone": {"params": {"params.yaml": {"seed": 78}}},
    }}  # fmt: skip
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: x}, render: {foreach: {}}}\n")
    write_study(tmp_path, sample, predicted(sample), lock=lock)
    assert list(side_of(tmp_path, name="workspace").stages) == ["train"]


DAMAGE = {
    "no predictions": (FILES.predictions, None, f"{FILES.predictions} at damaged: no such file"),
    "no pipeline": (FILES.pipeline, None, f"{FILES.pipeline} at damaged: no such file"),
    "no table": (FILES.predictions, "x", f"{FILES.predictions} at damaged"),
    "an empty table": (FILES.sample, "", f"{FILES.sample} at damaged"),
    "no column": (FILES.failures, "a\n1\n", f"{FILES.failures} at damaged: no column image_id"),
    "no rungs": (FILES.rungs, None, f"{FILES.rungs} at damaged: no such file"),
    "no facts": (
        f"{FILES.conditions}/downscale/family.json",
        None,
        "family.json at damaged: no such file",
    ),
    "no parameters": (FILES.parameters, "- 1", "params.yaml at damaged: list"),
    "no settings": (FILES.parameters, "data: {source: phantom}", "damaged: analysis.confidence"),
}


@pytest.mark.parametrize(("path", "text", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_is_missing_or_malformed_is_named(sides, sample, tmp_path, path, text, words):
    write_study(tmp_path, sample, predicted(sample))
    (tmp_path / path).unlink()
    if text is not None:
        (tmp_path / path).write_text(text)
    with pytest.raises(SmallsightError) as caught:
        compare_studies(sides[0], side_of(tmp_path, name="damaged"))
    line = str(caught.value)
    assert "\n" not in line
    assert words in line
    assert "damaged" in line


def test_facts_of_families_are_those_of_the_revision(sample, tmp_path):
    table = predicted(sample)
    facts = facts_of(table, labels={"downscale": "Shrunk"})
    write_study(tmp_path, sample, table, families=facts)
    assert side_of(tmp_path).families == facts


def test_a_study_of_an_older_version_is_one_line(sides, sample, tmp_path):
    """As it wrote its files: no column `task`, no rungs, and other facts of families."""
    table = predicted(sample)
    older = table[table["task"] == "scene"].drop(columns="task")
    write_study(tmp_path, sample, table)
    older.to_parquet(tmp_path / FILES.predictions, index=False)
    (tmp_path / FILES.rungs).unlink()
    facts = tmp_path / FILES.conditions / "downscale/family.json"
    facts.write_text('{"family": "downscale", "is_intervention": false, "levels": ["scale=0.5"]}')
    with pytest.raises(SmallsightError) as caught:
        side_of(tmp_path, name="exp-old")
    line = str(caught.value)
    assert "\n" not in line
    assert f"{FILES.predictions} at exp-old: no column task; expected the columns task" in line


def test_rungs_are_those_of_the_revision(sample, tmp_path):
    rungs = climbed(sample, seed=5)
    write_study(tmp_path, sample, predicted(sample), rungs=rungs)
    assert side_of(tmp_path).rungs.equals(rungs)


@pytest.mark.parametrize("text", ["{", "[]", "{}", "\udcff", '{"family": "downscale"}'])
def test_malformed_facts_are_named(sample, tmp_path, text):
    write_study(tmp_path, sample, predicted(sample))
    path = tmp_path / FILES.conditions / "downscale/family.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SmallsightError) as caught:
        side_of(tmp_path, name="damaged")
    line = str(caught.value)
    assert "\n" not in line
    assert "data/conditions/downscale/family.json at damaged: malformed" in line
