"""These tests run the engine itself; without the extra ``openvino`` there is nothing to run."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("openvino") else ["test_*.py"]
