"""Only so much of a download is read, whatever its length is said to be."""

import requests
import responses

from slipway.adapters.downloads import Download, Downloads

URL = "https://example.com/blob"


@responses.activate
def test_a_download_is_read_whole_up_to_its_bound() -> None:
    responses.get(URL, body=b"x" * 1_000)

    with requests.Session() as session:
        assert Downloads(session, 1_000).get(URL, 5) == Download(200, b"x" * 1_000)


@responses.activate
def test_no_more_than_a_chunk_beyond_the_bound_is_read() -> None:
    responses.get(URL, body=b"x" * 10_000_000)

    with requests.Session() as session:
        answer = Downloads(session, 1_000).get(URL, 5)

    assert 1_000 < len(answer.content) <= 1_000 + 256 * 1024


@responses.activate
def test_a_refusal_keeps_its_status() -> None:
    responses.get(URL, status=403)

    with requests.Session() as session:
        assert Downloads(session, 1_000).get(URL, 5).status_code == 403
