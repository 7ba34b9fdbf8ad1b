"""Real schedulers and workers on this machine, some of which die in the middle of the work."""

import hashlib
import os
import runpy
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import ExifTags, Image

from builders import clusters, rendered_families
from builders.clusters import ROOT, Cluster
from builders.readings import Held
from builders.remedy_bench import Colours as AnyNetwork
from builders.remedy_bench import bench_on, drawn
from smallsight.backbones import reader as readers
from smallsight.backbones.engine import Engine, write_engine
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import place_of_maps, write_features
from smallsight.backbones.features import extract_features, passes
from smallsight.backbones.networks.weights import write_weights
from smallsight.backbones.reader import Opened
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.classifiers.facts import write_classifier_facts
from smallsight.classifiers.readers import NetworkFiles
from smallsight.conditions.rendered.names import read_facts
from smallsight.conditions.rendered.views import read_views
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.remedies.inputs import both_ways
from smallsight.runtime.errors import ClusterError, ParameterError
from smallsight.runtime.parallel import here, iterate_items, map_batches, map_items
from smallsight.saliency.explain import HeadExplainer
from smallsight.saliency.removal import compute_removals

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from smallsight.runtime import cluster as joined


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Start clusters that end with the tests."""
    started = []

    def start(*workers):
        started.append(Cluster(tmp_path_factory.mktemp("cluster") / "started"))
        for name in workers:
            started[-1].add_worker(name)
        return started[-1]

    yield start
    for client in joined._CLIENTS.values():
        with suppress(TimeoutError):
            client.close(timeout=1)
    joined._CLIENTS.clear()
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def pair(start):
    """Two workers that run the same library, one of them from another folder."""
    cluster = start("one")
    shutil.copytree(ROOT / "src", cluster.folder / "src")
    cluster.add_worker("two", library=cluster.folder / "src")
    return cluster


@pytest.fixture
def use(monkeypatch, tmp_path):
    """Work in a new folder, on a cluster from then on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    monkeypatch.delenv("SMALLSIGHT_DASK", raising=False)

    def use(cluster):
        cluster.wait()
        monkeypatch.setenv("SMALLSIGHT_DASK", cluster.address)

    return use


def processes(count=12):
    """Return the workers of some work's items, and of some of the network's."""
    items = map_items(clusters.process_of, range(count), description="items")
    batches = map_batches(clusters.process_of, range(count), threads=1, description="batches")
    return ({name for name, _ in items}, {name for name, _ in batches})


def bytes_in(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def network_in(folder, weights):
    """Write the network's files, as stages do; return what opens them."""
    folder.mkdir()
    write_weights(weights, folder / "backbone.pth")
    write_classifier_facts(None, folder / "classifier.json")
    write_engine(Engine("torch"), folder / "engine.json")
    (folder / "backbone.onnx").touch()
    names = ("backbone.pth", "classifier.json", "engine.json", "backbone.onnx")
    return NetworkFiles(*(folder / name for name in names), "cpu")


def study_in(folder, weights):
    """Render families and run the network over the untouched one's pictures."""
    folder.mkdir()
    network = network_in(folder / "network", weights)
    rendered_families.write(folder)
    for condition in read_facts(folder, "orig_full").conditions:
        place = folder / "features"
        place.mkdir(exist_ok=True)
        views, maps = read_views(folder, condition), place / place_of_maps(condition)
        seen = extract_features(views, folder / condition.folder, network, maps=maps)
        write_features(seen, condition, place)


def fetch(source, **settings):
    """Run the stages that draw a sample of a source, and fetch its pictures; return its folder."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["data"] |= {"source": source, "instances": str(ROOT / "examples/instances/none.csv")}
    parameters["data"][source] |= settings
    Path("params.yaml").write_text(yaml.safe_dump(parameters))
    write_input_format(InputFormat(96), "data/input.json")
    for name in ("annotate", "sample", "fetch"):
        runpy.run_path(str(ROOT / f"stages/{name}.py"))["main"]()
    return Path("data")


def test_pictures_that_are_painted_or_collected_are_the_same_bytes(use, pair):
    painted = fetch("phantom", scenes=12).rename("painted")
    picture = min(Path(shutil.copytree(painted, "mine")).glob("images/*.jpg"))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    Image.open(picture).save(picture, exif=exif)
    mine = {"annotations": "mine/source/instances.json", "images": "mine/images"}
    collected = fetch("local", **mine).rename("collected")
    assert Image.open(collected / "images" / picture.name).format == "PNG"
    use(pair)
    assert bytes_in(fetch("phantom", scenes=12)) == bytes_in(painted)
    assert bytes_in(fetch("local", **mine)) == bytes_in(collected)
    assert len(list(painted.glob("images/*.jpg"))) == 12


def test_rendered_pictures_and_features_are_the_same_bytes(use, pair, weights):
    # Paths are relative: workers start elsewhere.
    study_in(Path("study"), weights)
    Path("study").rename("local")
    use(pair)
    study_in(Path("study"), weights)
    assert processes()[0] == {"one", "two"}
    assert bytes_in(Path("study")) == bytes_in(Path("local"))
    assert not list(Path().glob(".smallsight*"))


def test_what_a_killed_worker_had_in_hand_is_done_by_another(use, start, weights):
    cluster = start("one", "two")
    network = network_in(Path("network"), weights)
    pictures = np.random.default_rng(0).integers(0, 256, (160, 32, 32, 3), np.uint8)
    np.save("pictures.npy", pictures)

    def read(place):
        time.sleep(0.05)
        return np.load("pictures.npy")[place]

    batch = partial(
        passes, network, read, np.tile([2.0, 2.0, 9.0, 9.0], (160, 1)), np.arange(160),
        keep_maps=True, keep_mirrored=True, description="passes",
    )  # fmt: skip
    due = list(batch())
    use(cluster)
    stream = batch()
    found = [next(stream), next(stream)]
    cluster.kill(cluster.workers["one"])
    found.extend(stream)
    assert len(due) == len(found) == 20
    for one, other in zip(due, found, strict=True):
        for plain, again in zip(one, other, strict=True):
            assert {name: part.tobytes() for name, part in plain.items()} == {
                name: part.tobytes() for name, part in again.items()
            }
    assert processes() == ({"two"}, {"two"})


def test_remedies_and_random_weights_are_looked_at_there(use, pair, weights, tmp_path):
    bench = bench_on(tmp_path / "bench", drawn(), AnyNetwork(), weights=weights)
    bench = replace(bench, opener=bench.trunk)
    wanted = {number: number % 3 for number in range(10)}

    def cut(picture, number):
        return [picture[wanted[number] :], picture]

    pictures = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), np.uint8)
    drawn_trunk = replace(bench.trunk, untrained_seed=3)
    control = HeadExplainer(LAST, "scene", 32, None, bench.device, drawn_trunk)

    def looks():
        own = replace(bench)
        dilated = own.look("object", both_ways, other=own.backbone(is_dilated=True))
        return own.look("scene", cut), dilated, own.look("scene", cut, size=48)

    due, maps = looks(), control.last_maps(Held(pictures))
    use(pair)
    found, maps_there = looks(), control.last_maps(Held(pictures))
    for one, other in zip(due, found, strict=True):
        assert [each.tobytes() for each in one.features] == [
            each.tobytes() for each in other.features
        ]
        assert other.seconds > 0
        assert other.plain_seconds > 0
    assert maps_there.tobytes() == maps.tobytes()
    assert maps.std() > 0


def test_work_that_is_to_stay_here_stays(use, pair):
    use(pair)
    with here():
        found = map_batches(lambda _: os.getpid(), range(3), threads=1, description="here")
        assert set(found) == {os.getpid()}
    assert os.getpid() not in map_batches(
        lambda _: os.getpid(), range(3), threads=1, description="there"
    )


def test_a_worker_with_a_gpu_takes_the_networks_batches(use, start):
    cluster = start("plain")
    cluster.add_worker("gpu", "--resources", "GPU=1")
    use(cluster)
    items, batches = processes()
    assert (items, batches) == ({"plain", "gpu"}, {"gpu"})


@pytest.mark.parametrize(
    ("left", "over", "who"),
    [
        ([], iterate_items, "workers"),
        (["plain"], partial(map_batches, threads=1), "workers that declare GPU"),
    ],
    ids=["all", "with a GPU"],
)
def test_workers_that_are_lost_are_one_line_of_error(use, start, monkeypatch, left, over, who):
    monkeypatch.setattr(joined, "PATIENCE", 1)
    monkeypatch.setattr(joined, "_REFRESH", 0.2)
    cluster = start(*left)
    cluster.add_worker("lost", "--resources", "GPU=1")
    use(cluster)
    stream = over(clusters.process_of, range(100), description="work")
    assert next(stream)[0] == "lost"
    cluster.kill(cluster.workers["lost"])
    hanging = threading.Timer(30, cluster.stop)  # then the scheduler is what is lost
    hanging.start()
    with pytest.raises(ClusterError) as caught:
        list(stream)
    hanging.cancel()
    assert str(caught.value) == (
        f"cluster error: SMALLSIGHT_DASK: all {who} were lost, and none came for 1 seconds; "
        f"expected {who} that last: run the same again; stages that were finished are kept"
    )


@pytest.mark.parametrize("is_restarted", [True, False], ids=["restarted", "gone"])
def test_a_scheduler_that_is_lost_is_one_line_of_error(use, start, tmp_path, is_restarted):
    cluster = start("one", "two")
    out = tmp_path / "out"
    out.mkdir()
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    environment = os.environ | {"SMALLSIGHT_DASK": cluster.address, "PYTHONPATH": paths}
    running = subprocess.Popen(
        [sys.executable, clusters.__file__, str(out)],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while len(list(out.iterdir())) < 5:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        cluster.kill(cluster.scheduler)
        if is_restarted:
            cluster.start_scheduler()
        said, errors = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (running.returncode, said) == (1, "")
    assert errors == (
        f"clusters {out}: cluster error: SMALLSIGHT_DASK: the scheduler at {cluster.address} was "
        "lost; expected one that lasts: run the same again; stages that were finished are kept\n"
    )
    assert len(list(out.iterdir())) < 200


def refused(error=ParameterError, function=clusters.process_of):
    with pytest.raises(error) as caught:
        map_items(function, range(4), description="items")
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_worker_without_the_files_is_refused(use, start, tmp_path):
    cluster = start()
    cluster.add_worker("blind", "--preload", "builders.blind")
    use(cluster)
    said = refused()
    assert said.startswith("parameter error: SMALLSIGHT_DASK: the worker at tcp://127.0.0.1:")
    assert f" does not see the files in {tmp_path}; expected workers that see" in said


def test_a_worker_that_comes_in_the_middle_is_checked_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = joined._software()
    (tmp_path / "study").mkdir()
    fit = joined._Place(str(tmp_path / "study"), own)
    assert joined._work(os.listdir, item="..", place=fit) == ["study"]
    gone = fit._replace(folder=str(tmp_path / "gone"))
    with pytest.raises(ClusterError, match=r"a worker does not see the files in .*gone; expected"):
        joined._work(len, item="abc", place=gone)
    changed = fit._replace(software=(("smallsight", "another"), *own[1:]))
    with pytest.raises(ClusterError, match=r"a worker has smallsight \w{12}, not another;"):
        joined._work(len, item="abc", place=changed)


def test_a_worker_of_another_library_is_refused(use, start):
    cluster = start()
    shutil.copytree(ROOT / "src", cluster.folder / "src")
    with (cluster.folder / "src/smallsight/params.py").open("a") as changed:
        changed.write("# changed\n")
    cluster.add_worker("other", library=cluster.folder / "src")
    use(cluster)
    assert " has smallsight " in refused()


def test_a_worker_that_cannot_run_the_library_is_refused(use, start):
    cluster = start()
    (cluster.folder / "smallsight").mkdir()
    (cluster.folder / "smallsight/__init__.py").touch()
    cluster.add_worker("empty", library=cluster.folder)
    use(cluster)
    said = refused()
    assert " cannot run this library (" in said
    assert "No module named 'smallsight.runtime'" in said.replace("\\", "")


@pytest.fixture
def run(request, weights, tmp_path):
    """Let the network see something; return what it gave."""
    bench = bench_on(tmp_path / "bench", drawn(), AnyNetwork(), weights=weights)
    bench = replace(bench, opener=bench.trunk)
    whole = read_facts(bench.conditions, "orig_full").conditions[0]
    views, folder = read_views(bench.conditions, whole), bench.conditions / whole.folder
    return {
        "passes": lambda: extract_features(views, folder, bench.trunk).plain["scene"],
        "removals": lambda: compute_removals(
            bench.splits.sample, views, folder, colour=(9, 9, 9), seed=0, splits=bench.splits,
            fitted=None, seen=bench.stored("scene"), readout="scene",
            opener=bench.trunk,
        ),
        "look": lambda: bench.look("scene", lambda picture, number: [picture]).features,
    }[request.param]  # fmt: skip


@pytest.mark.parametrize("run", ["passes", "look"], indirect=True)
def test_the_device_is_that_of_the_workers(use, pair, run, monkeypatch):
    due = run()
    monkeypatch.setattr(TorchReader, "place", "cuda by torch")
    monkeypatch.setattr(TorchReader, "batch_size", 10**6)
    use(pair)
    np.testing.assert_array_equal(run(), due)


@pytest.mark.parametrize("run", ["passes", "removals", "look"], indirect=True)
def test_workers_of_different_devices_are_refused(use, pair, run, monkeypatch):
    # Not sent by name: the worker that is asked says what this says.
    monkeypatch.setattr(readers, "_known", lambda opener: Opened(4, 1, "cuda by torch"))
    use(pair)
    with pytest.raises(ClusterError) as caught:
        run()
    assert str(caught.value) == (
        "cluster error: SMALLSIGHT_DASK: one worker runs the network on cuda by torch, another on "
        "cpu by torch; expected workers with a device of one kind, or params.device: cpu"
    )


def test_a_cluster_without_workers_is_refused(use, start, monkeypatch):
    monkeypatch.setattr(joined, "PATIENCE", 1)
    cluster = start()
    use(cluster)
    assert refused() == (
        f"parameter error: SMALLSIGHT_DASK: a scheduler at {cluster.address} without workers for "
        "1 seconds; expected one with workers"
    )


def test_work_that_kills_its_workers_is_one_line_of_error(use, start, monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    use(start("one", "two"))
    said = refused(ClusterError, clusters.fall)
    assert said.startswith("cluster error: SMALLSIGHT_DASK: work that killed tcp://127.0.0.1:")
