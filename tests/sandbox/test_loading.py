"""A sandbox that listens before it is loaded."""

from __future__ import annotations

import http.client
import json
import threading
from urllib.parse import urlsplit

from lix_async.sandbox import Sandbox, running
from lix_async.sandbox.server.loading import LoadingSandbox

TIMEOUT = 30.0


def get(url: str, path: str, method: str = "GET") -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request(method, path, headers={"Authorization": "key"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_the_root_page_is_answered_at_once_and_all_else_when_it_is_loaded() -> None:
    loading = LoadingSandbox(lambda: Sandbox(people=5, organisations=2, rate=None))
    found: dict[str, tuple[int, dict[str, object]]] = {}

    def ask(method: str, path: str) -> None:
        found[method] = get(url, path, method)

    link = "/v1/person?profile_link=https://www.linkedin.com/in/ada-example"
    with running(loading) as url:
        before = get(url, "/")
        threads = [threading.Thread(target=ask, args=one) for one in [("GET", link), ("POST", "/")]]
        for thread in threads:
            thread.start()
        assert get(url, "/") == before, "others wait, and it does not"
        assert not found
        sandbox = loading.load()
        for thread in threads:
            thread.join(TIMEOUT)
        assert get(url, "/") == before, "the sandbox has the same page"
        assert get(url, link) == found["GET"]
    assert (before[0], before[1]["sandbox"]) == (200, "lix_async")
    assert (found["GET"][0], found["POST"][0]) == (200, 404)
    assert [one.endpoint for one in sandbox.requests] == ["person.get", "person.get"]


def test_a_foreign_host_is_rejected_before_it_is_loaded() -> None:
    loading = LoadingSandbox(lambda: Sandbox(people=5, organisations=2))
    with running(loading) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
        connection.request("GET", "/", headers={"Host": "example.com"})
        assert connection.getresponse().status == 400
        connection.close()
