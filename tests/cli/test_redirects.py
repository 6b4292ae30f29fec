"""Links inside links that redirect."""

from __future__ import annotations

import pytest

from lix_async.cli.input.targets import parse_target

L = "https://www.linkedin.com"
ENCODED = "https%3A%2F%2Fwww.linkedin.com%2Fin%2Fada"
OF_ADA = {
    "Outlook": f"https://nam12.safelinks.protection.outlook.com/?url={ENCODED}%2F&data=05%7C01",
    "Teams": f"https://statics.teams.cdn.office.net/safelinks/1/atp-safelinks.html?url={ENCODED}",
    "Google": f"https://www.google.com/url?q={L}/in/ada&sa=D&ust=1",
    "Google, encoded": f"https://www.google.com/url?sa=t&url={ENCODED}",
    "Bing": "https://www.bing.com/ck/a?!&&p=x&u=a1aHR0cHM6Ly93d3cubGlua2VkaW4uY29tL2luL2FkYQ&ntb=1",
    "Facebook": f"https://l.facebook.com/l.php?u={ENCODED}&h=1",
    "an old redirect of LinkedIn": f"{L}/redir/redirect?url=https%3A%2F%2Flinkedin%2Ecom%2Fin%2Fada",
    "LinkedIn's warning": f"linkedin.com/safety/go?url={ENCODED}&trk=x",
    "a wall": f"{L}/authwall?trk=x&sessionRedirect=https%3A%2F%2Fuk.linkedin.com%2Fin%2Fada%3Ftrk%3Dy",
    "a sign-in page": f"{L}/login?session_redirect=%2Fin%2Fada",
    "Proofpoint 1": f"https://urldefense.proofpoint.com/v1/url?u={L}/in/ada&k=x",
    "Proofpoint 2": "https://urldefense.proofpoint.com/v2/url?u=https-3A__www.linkedin.com_in_ada&d=Dw",
    "Proofpoint 3": f"https://urldefense.com/v3/__{L}/in/ada/__;!!ABC!xyz$",
    "Proofpoint 3, one slash": "https://urldefense.com/v3/__https:/www.linkedin.com/in/ada__;!!A!x$",
    "Cisco": f"https://secure-web.cisco.com/1abc/{ENCODED}",
    "Barracuda": f"https://linkprotect.cudasvc.com/url?a={ENCODED}&c=E,1,x",
    "Sophos": "https://eu.protection.sophos.com/?d=x&u=aHR0cHM6Ly93d3cubGlua2VkaW4uY29tL2luL2FkYS8=",
    "an archive": f"https://web.archive.org/web/2020/{L}/in/ada",
    "one in another": "https://nam12.safelinks.protection.outlook.com/?url="
    "https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fwww.linkedin.com%252Fin%252Fada",
}


@pytest.mark.parametrize("text", OF_ADA.values(), ids=OF_ADA)
def test_the_link_inside_is_the_target(text: str) -> None:
    found = parse_target(text)
    assert found is not None
    assert (found.kind, found.key, found.text) == ("person", "person ada", text)
    assert "linkedin.com/in/ada" in found.sent
    assert "redirect" not in found.sent


def test_other_letters_of_proofpoint() -> None:
    found = parse_target(f"https://urldefense.com/v3/__{L}/in/jos*-1/__;w6k!!ABC!x$")
    assert found is not None
    assert found.sent == f"{L}/in/josé-1/"
    found = parse_target(f"https://urldefense.com/v3/__{L}/in/**A/__;w6nDqQ!!ABC!x$")
    assert found is not None
    assert found.sent == f"{L}/in/éé/"


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/?u=https://example.com/in/ada",
        "https://example.com/?url=%2Fin%2Fada",
        f"{L}/in/ada,{L}/in/bob",
        f"{L}/in/ada {L}/in/bob",
        f"{L}/jobs/view/4012345678?next={ENCODED}",
        "https://urldefense.com/v3/__https://example.com__;w6!!A!x$",
        "https://urldefense.com/v3/nothing",
        "https://eu.protection.sophos.com/?u=aHR0c",
        "https://a.example/?u=" * 3000 + f"{L}/in/ada",
        "https://a.example/?u=" * 50 + f"{L}/in/ada",
    ],
)
def test_other_links_have_no_target(text: str) -> None:
    assert parse_target(text) is None
