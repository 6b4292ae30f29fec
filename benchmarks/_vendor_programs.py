"""The vendor's nine example programs, written anew with the loops that the vendor publishes.

One request after the other with `requests` (`urllib` where that is not installed), rows in SQLite
or in a file of JSON lines. Nothing of this project is imported: `vendor_programs.py` measures them.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import json
import sqlite3
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

KEY = "sandbox-key"
LINKEDIN = "https://www.linkedin.com"
TITLE = "Software Engineer"
Json = dict[str, Any]


class Api:
    """Requests one after the other, each on a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        installed = importlib.util.find_spec("requests") is not None
        self._requests: Any = importlib.import_module("requests") if installed else None

    def get(self, path: str, form: Json | None = None) -> Json | None:
        """The JSON of an answer; None where there is no such record."""
        headers = {"Authorization": KEY}
        if self._requests is not None:
            send = self._requests.get if form is None else self._requests.post
            answer = send(self.url + path, headers=headers, **({"data": form} if form else {}))
            status, body = answer.status_code, answer.content
        else:
            data = None if form is None else urlencode(form).encode()
            request = urllib.request.Request(self.url + path, data, headers)
            try:
                with urllib.request.urlopen(request) as reply:
                    status, body = reply.status, reply.read()
            except urllib.error.HTTPError as error:
                status, body = error.code, error.read()
        found: Json = json.loads(body)
        if status == 404 or (status == 400 and found["error"]["type"] == "not_found"):
            return None
        if status != 200:
            raise SystemExit(f"{path} was answered with {status}")
        return found


def look_up(api: Api, source: str, out: str, path: str) -> None:
    """Each row of a CSV into SQLite; a second start goes on with the rows that are left."""
    if importlib.util.find_spec("pandas") is not None:
        importlib.import_module("pandas")  # with which the vendor's programs read the CSV
    database = sqlite3.connect(f"{out}.db")
    database.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, link TEXT, collected TEXT)")
    database.execute("CREATE TABLE answer (row_id INTEGER, data TEXT)")
    with open(source, newline="") as file:
        links = [(row["link"],) for row in csv.DictReader(file)]
    database.executemany("INSERT INTO row (link) VALUES (?)", links)
    left = database.execute("SELECT id, link FROM row WHERE collected IS NULL").fetchall()
    for number, link in left:
        answer = api.get(path + quote(link, safe=""))
        if answer is None:
            continue
        database.execute("INSERT INTO answer VALUES (?, ?)", (number, json.dumps(answer)))
        database.execute("UPDATE row SET collected = 'now' WHERE id = ?", (number,))
        database.commit()
    with open(out, "w") as rows:
        rows.writelines(f"{data}\n" for (data,) in database.execute("SELECT data FROM answer"))
    database.close()


def people(api: Api, source: str, out: str) -> None:
    look_up(api, source, out, "/v1/person?profile_link=")


def organisations(api: Api, source: str, out: str) -> None:
    look_up(api, source, out, "/v1/organisations/by-linkedin?linkedin_url=")


def domains(api: Api, source: str, out: str) -> None:
    look_up(api, source, out, "/v1/organisations/by-domain/")


def addresses(api: Api, source: str, out: str) -> None:
    look_up(api, source, out, "/v1/contact/email/by-linkedin?url=")


def address(api: Api, source: str, out: str) -> None:
    answer = api.get(f"/v1/contact/email/by-linkedin?url={quote(source, safe='')}")
    Path(out).write_text(json.dumps(answer))


def search(api: Api, source: str, out: str) -> None:
    """Every page of a search for people, its number in the URL of the search."""
    sequence, start, got, total = str(uuid.uuid4()), 0, 0, 1
    with open(out, "w") as rows:
        while got < total:
            url = f"{source}&page={start // 10 + 1}"
            query = urlencode({"url": url, "sequence_id": sequence})
            answer = api.get(f"/v1/li/linkedin/search/people?{query}") or {}
            page: Json = answer.get("response", answer)
            rows.writelines(json.dumps(one) + "\n" for one in page["people"])
            sequence = answer.get("meta", {}).get("sequenceId") or sequence
            paging: Json = page["paging"]
            if not paging["count"]:
                break
            got, total = got + paging["count"], paging["total"]
            start = paging["start"] + paging["count"]


def facet_search(api: Api, source: str, out: str) -> None:
    """The first page of the leads with a title at a company, whose ids are looked up."""
    facets = "/v1/search/sales/facet?type="
    found = api.get(f"{facets}TITLE&query={quote(TITLE)}") or {}
    title: Json = found["data"]["elements"][0]
    found = api.get(f"{facets}COMPANY_WITH_LIST&query={quote(source)}") or {}
    company: Json = found["data"]["elements"][0]["children"][0]
    values = [
        f"(type:{kind},values:List((id:{quote(str(one['id']), safe='')},"
        f"text:{quote(one['displayValue'], safe='')},selectionType:INCLUDED{more})))"
        for kind, one, more in (
            ("CURRENT_TITLE", title, ""),
            ("CURRENT_COMPANY", company, ",parent:(id:0)"),
        )
    ]
    filters = quote(f"List({','.join(values)})", safe="")
    url = f"{LINKEDIN}/sales/search/people?query=(filters%3A{filters})"
    page = api.get(f"/v1/li/sales/search/people?url={quote(url, safe='')}") or {}
    with open(out, "w") as rows:
        rows.writelines(json.dumps(one) + "\n" for one in page["people"])


def leads(api: Api, source: str, out: str) -> None:
    """Every page of a lead search, as a form."""
    sequence, number, got, total = "", 1, 0, 1
    with open(out, "w") as rows:
        while got < total:
            form = {"url": f"{source}&page={number}", "sequence_id": sequence}
            page = api.get("/v1/li/sales/search/people", form) or {}
            rows.writelines(json.dumps(one) + "\n" for one in page["people"])
            got, total = got + page["paging"]["count"], page["paging"]["total"]
            sequence, number = page["meta"]["sequenceId"], number + 1


def employees(api: Api, source: str, out: str) -> None:
    """Every page of the employees of an organisation, each after the cursor of the page before."""
    after = ""
    with open(out, "w") as rows:
        while True:
            query = f"?after={quote(after)}" if after else ""
            page = api.get(f"/org/{source}/employees{query}") or {}
            rows.writelines(json.dumps(one) + "\n" for one in page["employees"])
            following: str = page["paging"]["_links"].get("next") or ""
            (after,) = parse_qs(urlsplit(following).query).get("after", [""])
            if not after:
                break


Program = Callable[[Api, str, str], None]
PROGRAMS: dict[str, Program] = {
    one.__name__: one
    for one in (
        *(people, organisations, domains, addresses, address),
        *(search, facet_search, leads, employees),
    )
}


if __name__ == "__main__":
    name, url, source, out = sys.argv[1:]
    PROGRAMS[name](Api(url), source, out)
