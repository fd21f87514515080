"""What the cases of functions share: an endpoint that speaks Lambda's Invoke call, and configurations with functions."""

import http.server
import json
import threading

PATH = "/2015-03-31/functions/function/invocations"


class InvokeServer:
    """Answers each invocation with what `handler(event)` returns, as the runtime interface emulator does.

    A handler that raises is an error of the function; one that returns bytes says literally what is answered; `status` other
    than 200 is answered instead of invoking anything. `events` are those that came, as texts."""

    def __init__(self, handler, status=200):
        self.handler, self.status = handler, status
        self.events = []
        owner = self

        class Call(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802  (the name that http.server wants)
                text = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path != PATH:
                    return self.reply(404, b"{}")
                owner.events.append(text.decode())
                if owner.status != 200:
                    return self.reply(owner.status, b"{}")
                try:
                    result = owner.handler(json.loads(text))
                except Exception as error:  # noqa: BLE001  (whatever a handler raises)
                    body = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()
                    return self.reply(200, body, {"X-Amz-Function-Error": "Unhandled"})
                return self.reply(200, result if isinstance(result, bytes) else json.dumps(result).encode())

            def reply(self, status, body, fields=None):
                self.send_response(status)
                for name, value in (fields or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, *_):
                """A caller that gave up is no trouble."""

        self.server = Server(("127.0.0.1", 0), Call)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}{PATH}"

    def requests(self):
        """The events, read."""
        return [json.loads(text) for text in self.events]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def says(text, **more):
    """A handler that always answers the same."""
    return lambda event: {"statusCode": 200, "isBase64Encoded": False, "headers": {"Content-Type": "text/plain"}, "body": text, **more}


def config(function, group="", log="", balancer=""):
    """A load balancer before one function; `function` is what its target group says about it."""
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    {log}
    {balancer}
    listeners: [{{port: 0, default-actions: [{{forward: {{target-group: fn}}}}]}}]
target-groups:
  - name: fn
    target-type: lambda
    function: {function}
    {group}
admin: {{port: 0}}
"""
