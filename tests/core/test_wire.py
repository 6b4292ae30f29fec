"""From an endpoint and its params to a request, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from sample_provider import SEND, THING, SendParams, ThingParams

from lix_async.core.endpoint import Endpoint, at_least
from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params
from lix_async.core.wire import HttpRequest, encode, read, text

URN = "urn:li:activity:7000000000000000001"
LINKEDIN = "https://www.linkedin.com/sales/search/people?query=(a%3Ab,c%2520d)&x=1#y"


class Filter(msgspec.Struct, omit_defaults=True):
    id: int
    label: str | None = None


class AllParams(Params, frozen=True, kw_only=True, rename={"link": "profile_link"}):
    id: str = "x"
    link: str | None = None
    count: int | None = None
    share: float | None = None
    flag: bool | None = None
    names: list[str] | None = None
    filters: list[Filter] | None = None
    extra: dict[str, Any] | None = None
    since: datetime | None = None

    @property
    def implied(self) -> str:
        return f"by-{self.id}"

    def check(self) -> None:
        at_least(self, "count", 0)


def row(path: str = "/v1/all", body: tuple[str, ...] = (), **more: Any) -> Endpoint[AllParams, Any]:
    return Endpoint("all", "POST", path, AllParams, dict, body=body, **more)


def test_a_read_is_encoded_in_path_and_query():
    request = encode(THING, ThingParams(id="7", note="a b", viewer_id="v"))
    assert request == HttpRequest("GET", "/v1/things/7?note=a%20b&viewer_id=v", None)
    assert (request.idempotent, request.content_type) == (True, "application/json")
    assert encode(THING, ThingParams(id="7")).target == "/v1/things/7"


def test_a_call_that_acts_is_encoded_in_the_body():
    request = encode(SEND, SendParams(to="me", text='"hello"\n'))
    assert request.target == "/v1/send?to=me"
    assert request.body == b'{"text":"\\"hello\\"\\n"}'
    assert not request.idempotent


@pytest.mark.parametrize(
    ("value", "travels"),
    [
        (URN, "urn%3Ali%3Aactivity%3A7000000000000000001"),
        ("%3A", "%253A"),
        (LINKEDIN, "https%3A%2F%2Fwww.linkedin.com%2Fsales%2Fsearch%2Fpeople%3Fquery%3D%28a%253A"
         "b%2Cc%252520d%29%26x%3D1%23y"),
        ("2-abc+/==", "2-abc%2B%2F%3D%3D"),
        ("a\r\nHost: evil\x00", "a%0D%0AHost%3A%20evil%00"),
        ("é😀", "%C3%A9%F0%9F%98%80"),
        ("-._~", "-._~"),
    ],
)  # fmt: skip
def test_every_value_is_encoded_exactly_once_in_path_and_query(value, travels):
    assert encode(row(), AllParams(id="x", link=value)).target.endswith(f"&profile_link={travels}")
    assert encode(row("/v1/{id}/x"), AllParams(id=value)).target == f"/v1/{travels}/x"


def test_values_that_are_not_texts_are_written_as_in_the_contract():
    params = AllParams(count=0, share=1.5, flag=False, names=["a", "b,c"])
    assert encode(row(), params).target == (
        "/v1/all?id=x&count=0&share=1.5&flag=false&names=a%2Cb%2Cc"
    )
    assert text([True, 1, "a"]) == "true,1,a"
    east = datetime(2025, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))
    assert text(east) == "2025-01-02T01:04:00Z"
    assert text(datetime(2025, 1, 2, tzinfo=UTC)) == "2025-01-02T00:00:00Z"


def test_a_time_without_a_zone_is_rejected_by_name():
    """Its meaning would depend on the machine."""
    naive = AllParams(since=datetime(2025, 1, 2))
    rows = [row(), row(body=("since",)), row(body=("since",), form=True), row("/v1/{since}")]
    for one in rows:
        with pytest.raises(
            ConfigurationError, match=r"^since must have a time zone, .*tzinfo=UTC\)"
        ):
            encode(one, naive)
    with pytest.raises(ConfigurationError, match="a time must have a time zone"):
        text([datetime(2025, 1, 2)])
    aware = AllParams(since=datetime(2025, 1, 2, tzinfo=UTC))
    assert encode(row(body=("since",)), aware).body == b'{"since":"2025-01-02T00:00:00Z"}'


def test_lists_are_joined_repeated_or_bracketed():
    params = AllParams(names=["a&", "b"])
    assert encode(row(), params).target.endswith("&names=a%26%2Cb")
    assert encode(row(arrays="repeated"), params).target.endswith("&names=a%26&names=b")
    assert encode(row(arrays="bracketed"), params).target.endswith(
        "&names%5B%5D=a%26&names%5B%5D=b"
    )
    assert encode(row(arrays="repeated"), AllParams()).target == "/v1/all?id=x"


def test_a_body_contains_the_given_values_only():
    request = encode(
        row("/v1/{id}", body=("link", "filters", "count")),
        AllParams(link="ü", filters=[Filter(1), Filter(2, "b")]),
    )
    assert request.target == "/v1/x"
    assert request.body == '{"profile_link":"ü","filters":[{"id":1},{"id":2,"label":"b"}]}'.encode()


def test_the_entries_of_a_spread_mapping_are_sent_next_to_the_others():
    spread = row(body=("link", "extra"), spread="extra")
    assert encode(spread, AllParams(link="a", extra={"b": 1})).body == b'{"profile_link":"a","b":1}'
    assert encode(spread, AllParams(link="a")).body == b'{"profile_link":"a"}'
    for params in (AllParams(link="a", extra={"b": 1}), AllParams(link="a")):
        assert read(spread, {}, [], encode(spread, params).body or b"") == params


def test_a_form_is_encoded_once_as_a_form():
    request = encode(row(body=("link", "flag"), form=True), AllParams(link=LINKEDIN, flag=True))
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.body is not None
    assert request.body.startswith(b"profile_link=https%3A%2F%2Fwww.linkedin.com%2Fsales")
    assert request.body.endswith(b"%23y&flag=true")


def test_the_prefix_precedes_the_path_and_the_alternate_path_replaces_it():
    request = encode(row(), AllParams(id="a"), prefix="/base", path="/v2/{id}/{implied}")
    assert request.target == "/base/v2/a/by-a"


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_path_segment_of_dots_is_rejected_by_name(segment):
    with pytest.raises(ConfigurationError, match=r"id must be an id, not '\.{0,2}'"):
        encode(row("/v1/{id}/x"), AllParams(id=segment))
    with pytest.raises(ConfigurationError, match="profile_link must be an id, not None"):
        encode(row("/v1/{link}"), AllParams())


@pytest.mark.parametrize("place", ["/v1/{id}", "/v1/all"])
@pytest.mark.parametrize("settings", [{}, {"body": ("link",)}, {"body": ("link",), "form": True}])
def test_invalid_unicode_is_rejected_without_showing_the_value(place, settings):
    secret = "secret\ud800"
    with pytest.raises(ConfigurationError, match="cannot be encoded as UTF-8") as caught:
        encode(row(place, **settings), AllParams(id=secret if "{" in place else "x", link=secret))
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_endpoint_with_a_field_that_its_params_lack_raises_a_type_error():
    with pytest.raises(TypeError, match="AllParams has no field nothing"):
        encode(row("/v1/{nothing}"), AllParams())
    with pytest.raises(TypeError, match="AllParams has no field nothing"):
        encode(row("/v1/other", body=("nothing",)), AllParams())


def test_a_server_decodes_known_params_and_ignores_others():
    query = [("profile_link", "null"), ("count", "3"), ("flag", "true"), ("new", "1"), ("id", "")]
    params = read(row(), {"id": "7"}, query, b"ignored without body params")
    assert params == AllParams(id="7", link="null", count=3, flag=True)


@pytest.mark.parametrize(
    ("query", "joined", "other"),
    [
        ([("names", "a,b")], ["a", "b"], ["a,b"]),
        ([("names", "a,b"), ("names", "c")], ["a,b", "c"], ["a,b", "c"]),
        ([("names[]", "a,b"), ("names[]", "c")], ["a,b", "c"], ["a,b", "c"]),
        ([("names[]", "a,b")], ["a,b"], ["a,b"]),
        ([("names", "a,,b"), ("id[]", "y")], ["a", "b"], ["a,,b"]),
        ([("names", ""), ("names[]", "")], None, None),
        ([("names", ",")], None, [","]),
    ],
)
def test_a_server_accepts_a_list_in_all_three_forms(query, joined, other):
    assert read(row(), {}, query, b"") == AllParams(names=joined)
    for arrays in ("repeated", "bracketed"):
        assert read(row(arrays=arrays), {}, query, b"") == AllParams(names=other)


def test_only_entries_of_the_body_belong_to_a_spread_mapping():
    spread = row(body=("link", "extra"), spread="extra")
    assert read(spread, {"slot": "1"}, [("other", "2")], b'{"link":"a"}').extra == {"link": "a"}
    assert read(spread, {"slot": "1"}, [("other", "2")], b"").extra is None
    form = row(body=("link", "extra"), spread="extra", form=True)
    params = AllParams(link="a", extra={"b": "1"})
    assert read(form, {}, [("other", "2")], encode(form, params).body or b"") == params


def test_a_server_decodes_json_and_forms():
    json = read(row(body=("link", "filters")), {}, [], b'{"filters":[{"id":1}],"link":null}')
    assert json == AllParams(filters=[Filter(1)])
    form = read(row(body=("link",), form=True), {}, [], b"profile_link=a+b%26%C3%A9&junk")
    assert form == AllParams(link="a b&é")
    assert read(row(body=("link",)), {}, [], b"") == AllParams()


@pytest.mark.parametrize("body", [b"{", b"[]", b'"\xff"', b"[" * 100_000])
def test_a_request_body_that_is_not_an_object_is_rejected(body):
    with pytest.raises(ConfigurationError, match="must be a JSON object"):
        read(row(body=("link",)), {}, [], body)


def test_a_server_rejects_missing_and_invalid_params():
    with pytest.raises(ConfigurationError, match="required field `id`"):
        read(THING, {}, [], b"")
    with pytest.raises(ConfigurationError, match="Expected `int"):
        read(row(), {}, [("count", "many")], b"")
    with pytest.raises(ConfigurationError, match="count must be at least 0, not -1"):
        read(row(), {}, [("count", "-1")], b"")
