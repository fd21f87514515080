"""Single requests to a proxy or to the target: whether it gives the right answer, and what else it says."""

import http.client
import ssl
import subprocess

from .process import PeerFailed

SMALL = b"x" * 13  # what floor_backend answers to most paths


def client_context():
    """TLS for a client that accepts any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def answers(port, host, path, content=None, tls=False):
    """True when GET gives 200, and `content` where it is given."""
    try:
        if tls:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=client_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status == 200 and content in (None, response.read())
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False


def stickiness_cookies(port, host, path):
    """The value of Cookie that keeps a client where its first request went."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        response.read()
        cookies = [line.partition(";")[0] for line in response.headers.get_all("Set-Cookie", [])]
    except (OSError, http.client.HTTPException) as error:
        raise PeerFailed(f"no cookies: {error}") from None
    finally:
        connection.close()
    if not cookies:
        raise PeerFailed("the answer has no cookies")
    return "; ".join(cookies)


def answers_http2(port, host, path, message=None):
    """True when HTTP/2 over TLS gives 200 and SMALL; with `message`, the file of a gRPC call's, when the call gives status 0."""
    command = ["curl", "--http2", "--insecure", "--silent", "--max-time", "2", "--dump-header", "-",
               "--connect-to", f"::127.0.0.1:{port}"]
    if message:
        command += ["--data-binary", f"@{message}", "-H", "content-type: application/grpc", "-H", "te: trailers"]
    got = subprocess.run([*command, f"https://{host}:{port}{path}"], capture_output=True, check=False).stdout
    return got.startswith(b"HTTP/2 200") and (b"grpc-status: 0" in got if message else got.endswith(SMALL))
