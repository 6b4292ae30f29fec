"""Check the types in the programs of the README and the documentation, with mypy.

Names that a program takes from the text around it are declared before it. A program that awaits
without a function of its own is put into one.
"""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
GIVEN = {"links": "list[str]", "dsn": "str", "lix": "lix_async.AsyncLix"}
"""What the text around a program says, by name; the type of other such names is not checked."""
NOTEBOOK = "docs/howto/notebooks.md"
"""Its blocks are the cells of one program."""
ALLOWED = ("no-untyped-def", "no-untyped-call", "untyped-decorator", "import-untyped")
"""What strict checks ask for beyond errors: fixtures and cells of marimo have no annotations."""
AWAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def programs() -> dict[str, str]:
    """The programs by the names of their modules."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found: dict[str, str] = {}
    for page in pages:
        name = page.relative_to(ROOT).as_posix()
        blocks = [] if "_build" in name else BLOCK.findall(page.read_text(encoding="utf-8"))
        for number, block in enumerate(["".join(blocks)] if name == NOTEBOOK else blocks, 1):
            found[f"{re.sub(r'[^A-Za-z]', '_', name)}_{number}"] = program(block)
    return found


def program(block: str) -> str:
    """A block as a module that can be checked."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(block, "block", "exec", flags)
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    defined = {node.id for node in names if not isinstance(node.ctx, ast.Load)} | vars(
        builtins
    ).keys()
    for node in nodes:
        match node:
            case ast.Import(aliases) | ast.ImportFrom(names=aliases):
                defined |= {(one.asname or one.name).partition(".")[0] for one in aliases}
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                defined.add(name)
            case (
                ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name))
            ):
                defined.add(name)
            case _:
                pass
    given = sorted({node.id for node in names} - defined - {"__name__"})
    head = ["import typing", "import lix_async"]
    head += [f"{name}: {GIVEN.get(name, 'typing.Any')}" for name in given]
    if any(map(_awaits, ast.iter_child_nodes(tree))):
        block = f"async def _program() -> None:\n{textwrap.indent(block, '    ')}"
    return "\n".join((*head, block))


def _awaits(node: ast.AST) -> bool:
    """Whether a statement awaits outside of functions of its own."""
    if isinstance(node, FUNCTION):
        return False
    if isinstance(node, AWAITING) or (isinstance(node, ast.comprehension) and node.is_async):
        return True
    return any(map(_awaits, ast.iter_child_nodes(node)))


def main() -> int:
    """Print what is wrong, and return 1 if something is."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in programs().items():
            (Path(folder) / f"{name}.py").write_text(text, encoding="utf-8")
        allowed = [f"--disable-error-code={code}" for code in ALLOWED]
        settings = (
            f"--config-file={ROOT / 'pyproject.toml'}",
            f"--cache-dir={ROOT / '.mypy_cache'}",
        )
        command = [sys.executable, "-m", "mypy", *settings, *allowed, "."]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
