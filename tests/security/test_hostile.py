"""Requests that mean harm, over a raw socket against a running service: refused in words or by a closed connection,
while everybody else is answered, the memory stays flat, and the log tells of no bug.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat

import httpx
import pytest
from frame import OFFICER, Frame, firm, new_uscc
from raw import Heard, Line, asked, head

Parts = tuple[bytes | Iterable[bytes], ...]

MIB = 1024 * 1024
GROWTH = 24 * MIB
SERVICE = "finance-link"
JSON = "Content-Type: application/json"
PATH = "/v1/consents"


@pytest.fixture(scope="module")
def url(frame: Frame) -> str:
    return frame.house.services[SERVICE].url


@pytest.fixture(scope="module")
def token(frame: Frame) -> str:
    return f"Authorization: Bearer {frame.token(SERVICE, firm(new_uscc()))}"


@contextmanager
def others_are_answered(url: str) -> Iterator[list[float]]:
    """Somebody else keeps asking meanwhile; the block's end says how long each answer took."""
    stop, took, failed = threading.Event(), list[float](), list[str]()

    def ask() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            while True:
                began = time.monotonic()
                try:
                    answer = client.get("/v1/products", headers={"Connection": "close"})
                    failed.extend([str(answer.status_code)] * (answer.status_code != 200))
                except httpx.HTTPError as error:
                    failed.append(repr(error))
                took.append(time.monotonic() - began)
                if stop.wait(0.02):
                    return

    other = threading.Thread(target=ask)
    other.start()
    try:
        yield took
    finally:
        stop.set()
        other.join()
    assert failed == []
    assert took


@contextmanager
def unharmed(frame: Frame, growth: int = GROWTH) -> Iterator[None]:
    """The process is the same and has not grown, nobody else had to wait, and the log tells of no bug."""
    service = frame.house.services[SERVICE]
    child, before, said = service.child, frame.memory(SERVICE), len(frame.log(SERVICE))
    with others_are_answered(service.url) as took:
        yield
    assert max(took) < 10
    assert service.running
    assert service.child is child
    assert frame.memory(SERVICE) - before < growth
    told = frame.log(SERVICE)[said:]
    assert "Traceback" not in told
    assert "http.bug" not in told
    assert '"level":"error"' not in told


def written(content: bytes, *headers: str) -> Parts:
    return head(f"POST {PATH}", JSON, f"Content-Length: {len(content)}", *headers), content


def endless(size: int, times: int) -> Parts:
    """The body in chunks of `size` bytes, 64 kB of them at a time."""
    chunk = b"%x\r\n%s\r\n" % (size, b"x" * size)
    together = max(1, 65536 // len(chunk))
    sent = repeat(chunk * together, times // together)
    return head(f"POST {PATH}", JSON, "Transfer-Encoding: chunked"), sent, b"0\r\n\r\n"


BIG = b"x" * 10 * MIB
BODIES: dict[str, Callable[[], Parts]] = {
    "10 MB": lambda: written(BIG),
    "10 MB, chunked": lambda: endless(65536, 160),
    "2 MB, a byte in each chunk": lambda: endless(1, 2 * MIB),
    "10 MB, announced and not sent": lambda: (head(f"POST {PATH}", JSON, "Content-Length: 10485760"),),
    "10 MB to an address that is none": lambda: (head("POST /nowhere", "Content-Length: 10485760"), BIG),
    "without end": lambda: endless(65536, 1000),
}


MALFORMED: dict[str, bytes] = {
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep and never closed": b'[{"a":' * 10_000,
    "NaN": b'{"bank_id": NaN}',
    "Infinity": b'{"bank_id": -Infinity}',
    "NUL": b'{"bank_id": "a\\u0000b"}',
    "a raw NUL": b'{"bank_id": "a\0b"}',
    "a lone surrogate": b'{"bank_id": "\\ud800"}',
    "surrogates the wrong way round": b'{"bank_id": "\\udc00\\ud800"}',
    "bad UTF-8": b'{"bank_id": "\xff\xfe"}',
    "overlong UTF-8": b'{"bank_id": "\xc0\xaf"}',
    "UTF-16": '{"bank_id": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"bank_id": "x"}',
    "a name twice": b'{"bank_id": "a", "bank_id": "b"}',
    "1e400": b'{"bank_id": 1e400}',
    "1e999999999": b'{"bank_id": 1e999999999}',
    "5,000 digits": b'{"bank_id": ' + b"9" * 5000 + b"}",
    "a fraction of 5,000 digits": b'{"bank_id": 0.' + b"9" * 5000 + b"}",
    "60,000 names": b"{" + b",".join(b'"%d":1' % number for number in range(60_000)) + b"}",
    "nothing": b"",
    "blanks": b" " * 100_000,
    "an array of itself": json.dumps([{"bank_id": "x"}] * 1000).encode(),
}
HEADS: dict[str, Parts] = {
    "100,000 headers": (head("GET /healthz")[:-2], repeat(b"a: b\r\n", 100_000), b"\r\n"),
    "1,000 names": (head("GET /healthz", *(f"X-{number}: 1" for number in range(1000))),),
    "a header of 10 MB": (head("GET /healthz")[:-2], b"X: ", repeat(b"x" * 65536, 160), b"\r\n\r\n"),
    "a header without end": (head("GET /healthz")[:-2], b"X: ", repeat(b"x" * 65536, 1000)),
    "a name of 100 kB": (head("GET /healthz")[:-2], b"x" * 100_000, b": 1\r\n\r\n"),
    "an address of 1 MB": (b"GET /" + b"x" * MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
    "a query of 1 MB": (b"GET /v1/products?" + b"a=b&" * (MIB // 4) + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,),
    "no such version": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",),
    "a NUL in a header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",),
    "lines that end in LF": (b"GET / HTTP/1.1\nHost: x\n\n",),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",),
    "another host's address": (b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",),
    "two lengths": (head(f"POST {PATH}", "Content-Length: 5", "Content-Length: 6"), b"{}   "),
    "a length and chunks": (head(f"POST {PATH}", "Content-Length: 5", "Transfer-Encoding: chunked"), b"0\r\n\r\n"),
    "chunks of an unknown coding": (head(f"POST {PATH}", "Transfer-Encoding: chunked, gzip"), b"0\r\n\r\n"),
    "a negative length": (head(f"POST {PATH}", "Content-Length: -1"), b"{}"),
    "a length of 10^30": (head(f"POST {PATH}", f"Content-Length: 1{'0' * 30}"), b"{}"),
    "a length with a plus": (head(f"POST {PATH}", "Content-Length: +2"), b"{}"),
    "a chunk that is no number": (head(f"POST {PATH}", JSON, "Transfer-Encoding: chunked"), b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk of 10^30 bytes": (
        head(f"POST {PATH}", JSON, "Transfer-Encoding: chunked"), b"f" * 30 + b"\r\n{}\r\n0\r\n\r\n",
    ),
    "a chunk longer than said": (
        head(f"POST {PATH}", JSON, "Transfer-Encoding: chunked"), b"2\r\n{}{}{}\r\n0\r\n\r\n",
    ),
}  # fmt: skip
ADDRESSES = (
    "/v1/../../../etc/passwd", "/docs/../../../etc/passwd", "/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/docs/..%5c..%5cetc%5cpasswd", "/docs/%252e%252e%252fetc%252fpasswd", "//etc/passwd", "/./docs/./../metrics/",
    "/v1/products/%2e%2e/%2e%2e", "/v1/referrals/..%2f..", "/v1/referrals/%00", "/v1/referrals/%ff%fe",
    "/v1/referrals/%", "/v1/referrals/%zz", "/v1/banks/a%2fb/referrals", "/v1/banks/%c0%ae%c0%ae/referrals",
    "/v1/products?limit=9999999999999999999999999", "/v1/products?limit=1e400", "/v1/products?cursor=%00",
    "/v1/products?cursor=" + "x" * 5000, "/v1/products?limit=1&limit=x", "/v1/products?bank_id=" + "%F0%9F%92%A9" * 500,
    "/v1/products?bank_id='%20OR%201=1--", "/v1/products?open=maybe", "/v1/products?" + "&" * 10_000,
)  # fmt: skip


def refused(heard: Heard, *statuses: int) -> bool:
    return heard.status is None or (heard.status in statuses and heard.is_problem)


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "nobody"])
def test_bodies_of_any_size_are_refused(frame: Frame, url: str, token: str, *, signed_in: bool) -> None:
    with unharmed(frame):
        for name, parts in BODIES.items():
            start, *rest = parts()
            assert isinstance(start, bytes)
            bearer = f"{token}\r\n".encode() if signed_in else b""
            heard = asked(url, start[:-2] + bearer + b"\r\n", *rest)
            assert refused(heard, 404, 408, 413), (name, heard)


def test_many_large_bodies_at_once_do_not_add_up(frame: Frame, url: str, token: str) -> None:
    with unharmed(frame):
        lines = [Line(url) for _ in range(50)]
        for line in lines:
            line.say(head(f"POST {PATH}", JSON, token, "Content-Length: 33554432"), b"[" * 65536)
        assert all(refused(line.hear(), 413) for line in lines)
        for line in lines:
            line.close()


def test_malformed_bodies_are_refused_by_name(frame: Frame, url: str, token: str) -> None:
    with unharmed(frame):
        for name, content in MALFORMED.items():
            heard = asked(url, *written(content, token))
            assert (heard.status, heard.is_problem) == (422, True), (name, heard)


def test_heads_that_are_none_are_refused(frame: Frame, url: str) -> None:
    with unharmed(frame):
        for name, parts in HEADS.items():
            heard = asked(url, *parts)
            assert refused(heard, 400, 404, 405, 431), (name, heard)


def test_addresses_lead_nowhere_else(frame: Frame, url: str) -> None:
    with unharmed(frame):
        for address in ADDRESSES:
            heard = asked(url, head(f"GET {address}"))
            assert refused(heard, 400, 401, 404, 405, 422) or b'"items"' in heard.body, (address, heard)
            assert b"root:" not in heard.body


def test_http_1_0_is_answered_and_closed(url: str) -> None:
    heard = asked(url, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert heard.status == 200
    assert b"connection: close" in heard.head


def test_a_head_of_many_pieces_and_requests_in_a_row_are_answered(url: str) -> None:
    line = Line(url)
    for byte in head("GET /healthz"):
        line.say(bytes([byte]))
    assert line.hear().status == 200
    line.say(head("GET /healthz") * 2)
    heard = line.hear()
    assert heard.status == 200
    line.close()


def test_an_answer_is_not_lost_with_what_the_client_still_sends(url: str) -> None:
    """And the connection can be used again: the rest of the body is read and dropped."""
    line = Line(url)
    line.say(head(f"POST {PATH}", JSON, "Authorization: Bearer x", f"Content-Length: {MIB // 2}"))
    assert line.hear().status == 401
    line.say(b"x" * (MIB // 2), head("GET /healthz"))
    assert line.hear().status == 200
    line.close()


def test_of_too_many_connections_the_idle_ones_are_cut(frame: Frame, url: str) -> None:
    with unharmed(frame, growth=48 * MIB):
        lines = [Line(url) for _ in range(700)]
        fresh = Line(url)
        fresh.say(head("GET /v1/products"))
        assert fresh.hear().status == 200
        assert lines[0].hear().status is None, "the one that waited longest was cut"
        for line in (*lines, fresh):
            line.close()


def test_what_the_bureau_may_send_others_may_not(frame: Frame) -> None:
    url = frame.house.services["ip-enterprise"].url
    bearer = f"Authorization: Bearer {frame.token('ip-enterprise', firm(new_uscc()))}"
    for headers in ([], [bearer]):
        heard = asked(
            url, head("POST /v1/imports", *headers, "Content-Length: 33554432"), repeat(b"x" * 65536, 512)
        )
        assert refused(heard, 413), heard


def test_officers_send_files_beyond_the_limit(frame: Frame) -> None:
    url = frame.house.services["ip-enterprise"].url
    bearer = f"Authorization: Bearer {frame.token('ip-enterprise', OFFICER)}"
    content = b"x" * (2 * MIB)
    heard = asked(url, head("POST /v1/imports", bearer, f"Content-Length: {len(content)}"), content)
    assert heard.status == 200
