"""Fixtures: each ends what it started, whatever the case did."""

import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import weir_e2e  # noqa: E402  (the path above comes first)


@pytest.fixture
def targets():
    """targets("blue") starts a fake target; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda name, **options: stack.enter_context(weir_e2e.FakeTarget(name, **options))


@pytest.fixture
def nginx(tmp_path):
    """nginx("blue") starts a real nginx; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda name, **options: stack.enter_context(weir_e2e.Nginx(name, tmp_path, **options))


@pytest.fixture
def run(tmp_path):
    """run(config) starts the program; it is drained at the end, and its sanitizers must have nothing to say."""
    with contextlib.ExitStack() as stack:
        yield lambda config, **options: stack.enter_context(weir_e2e.Weir(config, tmp_path, **options))
