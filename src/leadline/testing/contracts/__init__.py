"""Contract suites, one a port: what every model, engine, exporter and dataset must do.

Each suite is a tuple of checks: plain functions that raise ``AssertionError``. With pytest::

    @pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
    def test_my_model(check):
        with leadline.open_model("my-model") as model:
            check(model)
"""
