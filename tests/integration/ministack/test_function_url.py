"""A Function URL is reached on the local port by its host name."""

import http.client
import json
from urllib.parse import urlsplit

from tests.integration.ministack.cloud import Cloud


def test_a_function_url_answers_an_unsigned_request(cloud: Cloud) -> None:
    port = urlsplit(cloud.ministack.endpoint_url).port
    identifier = urlsplit(cloud.outputs["Url"]).netloc.partition(".")[0]
    host = f"{identifier}.lambda-url.us-east-1.localhost:{port}"
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/approve/1?x=1", body="a=b", headers={"Host": host})

    answer = connection.getresponse()

    assert (answer.status, answer.getheader("set-cookie")) == (200, "seen=1")
    asked = json.load(answer)
    connection.close()
    assert (asked["method"], asked["path"], asked["query"]) == ("POST", "/approve/1", "x=1")
