"""The cells of the page about notebooks, in a real kernel of Jupyter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lix_async.sandbox import Sandbox, running

ROOT = Path(__file__).parents[2]
CELL = re.compile(r"```python\n(.*?)```", re.DOTALL)
SETUP = """
import functools, lix_async
for name in ("Lix", "AsyncLix"):  # no waiting for permits
    setattr(lix_async, name, functools.partial(getattr(lix_async, name), rate_limit=None))
"""


@pytest.mark.filterwarnings("default")  # Jupyter's own
def test_the_page_about_notebooks_runs_in_a_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    cells = CELL.findall((ROOT / "docs/howto/notebooks.md").read_text())
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (SETUP, *cells)]
    )
    monkeypatch.setenv("LIX_API_KEY", "key-for-tests")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    sandbox = Sandbox(people=60, rate=None)
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        client = nbclient.NotebookClient(
            notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute()
    shown = [cell.outputs[-1].data for cell in notebook.cells if cell.outputs]
    assert len(shown) == 5
    assert shown[0] == shown[4]  # the name, from the provider and from the ledger
    assert "15 items" in shown[1]["text/plain"]
    assert "<table" in shown[2]["text/html"]
    assert "full_name" in shown[3]["text/html"]
    assert (tmp_path / "notebook.db").exists()
    assert sandbox.ledger.totals()["standard"] == 1 + 2 + 5
