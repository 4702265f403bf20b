from __future__ import annotations

import logging
import warnings

import pytest

from leadline.plugins.silence import silenced


def test_warnings_and_log_lines_are_not_heard_inside_and_are_again_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("somebody")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with silenced():
            warnings.warn("unheard", stacklevel=1)
            logger.error("unheard")
        warnings.warn("heard", stacklevel=1)
        logger.error("heard")
    assert [str(each.message) for each in heard] == ["heard"]
    assert caplog.messages == ["heard"]


def test_what_is_raised_inside_is_raised_and_the_log_speaks_again(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="broken"), silenced():
        raise ValueError("broken")
    logging.getLogger("somebody").error("heard")
    assert caplog.messages == ["heard"]
