"""`lix sandbox`: its options, its output, and the base URLs of all providers."""

from __future__ import annotations

import http.server
import json
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lix_async.sandbox
from lix_async.cli import main
from lix_async.cli.commands.sandbox import announce
from lix_async.cli.providers import provider_of, providers
from lix_async.core.errors import ConfigurationError
from lix_async.sandbox import Sandbox, base_url_of
from lix_async.sandbox.providers import providers as sandbox_providers
from lix_async.sandbox.server.base_urls import provider_named
from lix_async.sandbox.server.loading import LoadingSandbox

from .sandbox_helpers import TIMEOUT, environment, sandbox_process

URL = "http://127.0.0.1:8765"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sandbox]:
    """The sandbox that a command line creates, without running it."""
    made: list[Sandbox] = []

    @contextmanager
    def running(sandbox: Sandbox | LoadingSandbox, port: int) -> Iterator[str]:
        made.append(sandbox.load() if isinstance(sandbox, LoadingSandbox) else sandbox)
        raise KeyboardInterrupt
        yield  # never reached: it makes this a generator

    monkeypatch.setattr("lix_async.sandbox.server.server.running", running)

    def run(*arguments: str) -> Sandbox:
        assert main(["sandbox", *arguments]) == 0
        return made[-1]

    return run


def rates(sandbox: Sandbox) -> dict[str, object]:
    return dict(sandbox._rate_limits.rates)


def own() -> dict[str, object]:
    return {provider.name: provider.rate for provider in sandbox_providers()}


def test_by_default_every_provider_has_its_own_rate(settings: Callable[..., Sandbox]) -> None:
    assert rates(settings()) == own()


def test_days_have_passed_in_the_sandbox(
    settings: Callable[..., Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings("--people", "20").world.day == 0
    assert settings("--people", "20", "--advance", "400").world.day == 400
    assert main(["sandbox", "--advance", "-1"]) == 2
    assert "--advance: days must be 0 to 36500" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (["20/s"], {0: (20, 1.0)}),
        (["1/3s"], {0: (1, 3.0)}),
        (["0.5/s"], {0: (1, 2.0)}),
        (["none"], dict.fromkeys(range(5))),
        (["none", "1=2/s"], {**dict.fromkeys(range(5)), 1: (2, 1.0)}),
        (["1=2/s", "none"], {**dict.fromkeys(range(5)), 1: (2, 1.0)}),
        (["1=none", "2=100/min", "3/s"], {0: (3, 1.0), 1: None, 2: (100, 60.0)}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_rates_are_set_for_the_first_provider_or_by_name(
    settings: Callable[..., Sandbox], arguments: list[str], changed: dict[int, object]
) -> None:
    names = list(providers())
    options: list[str] = []
    for argument in arguments:
        position, named, rate = argument.rpartition("=")
        options += ["--rate", f"{names[int(position)]}={rate}" if named else argument]
    in_order = [provider.name for provider in sandbox_providers()]
    wanted = {
        in_order[position]: rate for position, rate in changed.items() if position < len(in_order)
    }
    assert rates(settings(*options)) == own() | wanted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "unknown=2/s"], "does not simulate 'unknown'"),
        (["--rate", "often"], "invalid --rate"),
        (["--rate", "=1/s"], "does not simulate ''"),
        (["--webhook", "https://example.com/x"], "expected http:// on this machine"),
        (["--webhook", "http://127.0.0.1:x"], "--webhook: invalid webhook URL"),
        (["--people", "0"], "--people must be at least 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_invalid_options_are_reported(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["sandbox", "--port", "0", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, said in shown.err) == ("", True), shown.err


def test_a_used_port_has_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with lix_async.sandbox.running(Sandbox(people=5, organisations=2)) as url:
        assert main(["sandbox", "--port", url.rpartition(":")[2]]) == 2
    assert "--port 0" in capsys.readouterr().err


def test_the_output_fits_a_narrow_terminal_and_has_all_providers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    announce(URL)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    exports = [line.removeprefix("  export ") for line in lines if line.startswith("  export ")]
    settings = dict(word.split("=", 1) for line in exports for word in line.split())
    wanted: dict[str, str] = {}
    for name in providers():
        provider = provider_of(name)
        wanted[provider.url_variable] = base_url_of(URL, name)
        wanted[provider.key_variables[0]] = "sandbox-key"
    assert settings == wanted


@pytest.mark.parametrize(
    ("rates_given", "option"),
    [((), ""), (("1/3s",), ""), (("lookc=2/s",), ""), (("lookc=2/s", "none"), " --rate none")],
)
def test_the_printed_commands_use_the_allowed_rate(
    capsys: pytest.CaptureFixture[str], rates_given: tuple[str, ...], option: str
) -> None:
    announce(URL, rates_given)
    commands = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  lix ")]
    assert len(commands) == (2 if "lix" in providers() else 0)
    assert all(line.endswith(option) and line.count("--rate") == bool(option) for line in commands)


@pytest.mark.skipif("lix" not in providers(), reason="only Lix has searches")
def test_the_printed_commands_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with lix_async.sandbox.running(Sandbox(rate=None)) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        announce(url, ["none"])
        said = capsys.readouterr().out.splitlines()
        commands = [shlex.split(line) for line in said if line.startswith("  lix ")]
        for _, *arguments in commands:
            assert main([*arguments, *(["--limit", "1"] if "search" in arguments else [])]) == 0
            assert json.loads(capsys.readouterr().out)


def test_base_urls_have_the_prefix_of_the_provider() -> None:
    assert "base_url_of" in dir(lix_async.sandbox)
    for name in providers():
        provider = provider_named(name)
        assert provider is provider_named(provider.name) is provider_named(name.upper())
        assert base_url_of(URL, name) == base_url_of(f"{URL}/", name) == URL + provider.prefix
    with pytest.raises(ConfigurationError, match="does not simulate 'unknown'"):
        base_url_of(URL, "unknown")


@contextmanager
def receiver() -> Iterator[tuple[str, list[bytes], threading.Event]]:
    """A server that records what is posted to it."""
    bodies: list[bytes] = []
    received = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            received.set()

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/lookc", bodies, received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.skipif("lookc" not in providers(), reason="only LookC has webhooks")
def test_a_finished_lookup_is_posted_to_the_webhook(tmp_path: Path) -> None:
    with (
        receiver() as (url, bodies, received),
        sandbox_process(tmp_path, "--webhook", url) as settings,
    ):
        code = "import sys; from lix_async.cli import main; sys.exit(main())"
        asked = ["call", "lookc.person_by_email", "--email", "slow@example.com", "--rate", "none"]
        done = subprocess.run(
            [sys.executable, "-c", code, *asked],
            env=environment(**settings), cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert received.wait(TIMEOUT), "nothing was posted"
    assert json.loads(bodies[0])["type"] == "search.person.by-email"


def test_balances_of_all_kinds_and_of_one(settings: Callable[..., Sandbox]) -> None:
    assert settings().ledger.balances == {"standard": 50_000, "org": 10_000, "email": 10_000}
    given = settings("--balance", "org=0", "--balance", "7").ledger.balances
    assert given == {"standard": 7, "org": 0, "email": 7}
    assert settings("--balance", "email=3").ledger.balances["standard"] == 50_000


@pytest.mark.parametrize("text", ["x", "-1", "org=", "gold=3", "org=1.5"])
def test_an_invalid_balance(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", f"--balance={text}"]) == 2
    assert "standard=N, org=N or email=N" in capsys.readouterr().err


def test_no_rate_means_no_daily_limit_either(settings: Callable[..., Sandbox]) -> None:
    assert settings().allowance.requests == 10_000
    assert settings("--rate", "none").allowance.unlimited
    assert settings("--rate", "none", "--daily-allowance", "2").allowance.requests == 2
    assert settings("--daily-allowance", "0").allowance.requests == 0
    assert main(["sandbox", "--daily-allowance", "-1"]) == 2
