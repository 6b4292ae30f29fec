"""`lix call` against every row of every provider, with what `lix sandbox` says to set."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from lix_async.cli import main
from lix_async.cli.commands.sandbox import announce
from lix_async.cli.endpoint_list import endpoint_table, methods, single
from lix_async.cli.providers import (
    all_endpoints,
    client_of,
    provider_name,
    provider_of,
    providers,
)
from lix_async.core.endpoint import AnyEndpoint
from lix_async.sandbox import Sandbox, running
from lix_async.sandbox.providers import houses

from .sandbox_helpers import Result, Watched

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Sandbox, str]]:
    sandbox = Watched()
    with running(sandbox) as url:
        yield sandbox, url


@pytest.fixture
def call(
    played: tuple[Sandbox, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Call:
    """`lix call` in this process, with nothing set but what the sandbox says to."""
    played[0].reset()
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    announce(played[1])
    for name, value in exported(capsys.readouterr().out).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        code = main(["call", *arguments])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def exported(text: str) -> dict[str, str]:
    """What the lines to paste set."""
    lines = [line.split() for line in text.splitlines() if line.startswith("  export ")]
    return dict(word.split("=", 1) for line in lines for word in line[1:])


def example(sandbox: Sandbox, row: AnyEndpoint) -> Mapping[str, object]:
    """What the sandbox knows to be answered; of a twin of a row what is known of the row."""
    known: dict[str, Mapping[str, object]] = {}
    for one in houses():
        known |= one.examples(sandbox.world)
    params = known.get(row.id) or known.get(row.id.rpartition(".")[0]) or {}
    if "post_urn" in params:  # the first post need not have been liked by anybody
        posts = map(sandbox.world.post_at, range(100))
        liked = next(post for post in posts if sum(post.reactions) and post.comments)
        return {**params, "post_urn": liked.urn}
    return params


def options(row: AnyEndpoint, params: Mapping[str, object]) -> list[str]:
    """Params as a person would write them: texts as they are, everything else as JSON."""
    names = {field.encode_name: field.name for field in msgspec.structs.fields(row.params)}
    names |= {name: name for name in names.values()}
    written: list[str] = []
    for name, value in params.items():
        if name not in names:  # a placeholder of the path, beside its param
            continue
        text = value if isinstance(value, str) else json.dumps(value)
        written += [f"--{names[name].replace('_', '-')}", text]
    return written


@pytest.mark.parametrize("name", all_endpoints())
def test_every_row_is_called_by_its_id(call: Call, played: tuple[Sandbox, str], name: str) -> None:
    sandbox, row = played[0], all_endpoints()[name]
    rest = ["--limit", "2"] if row.is_listing else []
    done = call(name, *options(row, example(sandbox, row)), "--rate", "none", *rest)
    assert done.code == 0, done.err
    asked = [fact for fact in sandbox.requests if fact.endpoint]
    assert {(fact.endpoint or "").removesuffix(".newer") for fact in asked} == {
        name.removesuffix(".newer")
    }
    if row.is_listing:
        assert 0 < len(done.rows) <= 2
        assert all(isinstance(one, dict) and one for one in done.rows)
    else:
        msgspec.convert(json.loads(done.out), dict[str, object] | list[object])
        assert done.out.count("\n") == 1


@pytest.mark.parametrize("name", providers())
def test_drift_knows_every_table(
    call: Call, played: tuple[Sandbox, str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field that nobody knows is told; of open objects everything is known."""
    mine = [row for row in all_endpoints().values() if provider_name(row.id) == name]
    mine = [row for row in mine if not issubclass(row.result, dict)]
    lines = [{"endpoint": row.id, "body": {"brandNewField": 1}} for row in mine]
    Path("seen.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert main(["drift", "seen.jsonl"]) == 0
    told = capsys.readouterr().out
    for row in mine:
        assert any(
            {"new", row.id, "brandNewField"} <= set(line.split()) for line in told.splitlines()
        ), row.id
    assert main(["drift", "seen.jsonl", "--endpoint", "nobody.knows"]) == 2


def test_the_table_is_grouped_by_provider_and_says_what_each_needs(call: Call) -> None:
    shown = call().out
    assert shown == call("--list").out == "\n".join(endpoint_table()) + "\n"
    assert all(len(line) <= 80 for line in shown.splitlines())
    places: list[int] = []
    for name in providers():
        provider = provider_of(name)
        places.append(shown.index(f"{provider.name}: key in {provider.key_variables[0]}"))
        mine = [row.id for row in all_endpoints().values() if provider_name(row.id) == name]
        assert all(shown.index(f"\n{row}") > places[-1] for row in mine)
    assert places == sorted(places)
    assert methods().keys() == all_endpoints().keys()


@pytest.mark.parametrize("name", providers())
def test_a_provider_alone_is_listed_by_its_name(call: Call, name: str) -> None:
    shown = call(name).out
    assert shown == call(name, "--list").out
    starts = {line.split()[0].rstrip("*") for line in shown.splitlines() if line}
    for row in all_endpoints().values():
        assert (row.id in starts) == (provider_name(row.id) == name)


@pytest.mark.parametrize("name", all_endpoints())
def test_one_row_is_shown_with_address_method_and_types(call: Call, name: str) -> None:
    row = all_endpoints()[name]
    shown = call(name, "--list")
    assert (shown.code, shown.out) == (0, "\n".join(single(row)) + "\n")
    assert row.path in shown.out
    assert client_of(name).__name__ in shown.out
    assert shown.out.count("--") >= len(row.params.__struct_fields__)
    assert "  value" not in shown.out, "every type has its word"


def test_python_methods_stand_beside_their_rows() -> None:
    known = methods()
    for name, method in known.items():
        target: object = client_of(name)
        for part in method.split("."):
            hints: dict[str, object] = getattr(target, "__annotations__", {})
            target = getattr(target, part, None) or hints.get(part)
            assert target is not None, (name, method)
            if isinstance(target, str):
                break


def _letrics(*arguments: str) -> Sequence[str]:
    return ("letrics.companies", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["connectsafely.profile"], "missing `profile_id`"),
        (["connectsafely.profile", "--profile-id", "https://x"], "profile_id"),
        (["connectsafely.search_people", "--filters", "Go"], "--filters is not JSON"),
        (["connectsafely.search_people", "--filters", "[1]"], "Expected `object"),
        (_letrics("--industries", "[1]"), "Expected `str`"),
        (_letrics("--added-after", "yesterday"), "RFC3339"),
        (["letrics"], ""),
        (["lookc.nothing", "--list"], "no endpoint"),
        (["lookc.person_by_emial"], "did you mean lookc.person_by_email"),
    ],
)
def test_what_cannot_be_called_is_told_before_anything_is_sent(
    call: Call, played: tuple[Sandbox, str], arguments: Sequence[str], said: str
) -> None:
    if arguments[0].partition(".")[0] not in providers():
        pytest.skip("that provider is not here")
    done = call(*arguments)
    assert (done.code, said in done.err) == (2 if said else 0, True), done.err
    assert not played[0].requests


def test_a_provider_without_an_address_names_the_variable(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "letrics" not in providers():
        pytest.skip("that provider is not here")
    monkeypatch.delenv("LETRICS_BASE_URL")
    done = call("letrics.companies")
    assert (done.code, "LETRICS_BASE_URL" in done.err) == (2, True)
    monkeypatch.delenv("LETRICS_API_KEY")
    done = call("letrics.companies")
    assert (done.code, "LETRICS_API_KEY" in done.err) == (3, True)


def test_lists_of_texts_are_parted_by_commas(call: Call, played: tuple[Sandbox, str]) -> None:
    if "letrics" not in providers():
        pytest.skip("that provider is not here")
    assert call("letrics.companies", "--tlds", "com, io", "--limit", "1").code == 0
    asked = json.loads(played[0].requests[-1].input or "")
    assert asked["tlds"] == ["com", "io"]
