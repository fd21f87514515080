"""What runs a handler written for AWS Lambda's Python runtimes: asks the Lambda Runtime API of weir for one event after the
other, calls the handler and gives back what it returns."""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

API = "/2018-06-01/runtime"
# This program comes by standard input and has no file.
SELF = (lambda: None).__code__.co_filename


class Context:
    """The second argument of a handler."""

    def __init__(self, fields):
        self.aws_request_id = fields["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = fields.get("Lambda-Runtime-Invoked-Function-Arn")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.client_context = None
        self.identity = type("CognitoIdentity", (), {"cognito_identity_id": None, "cognito_identity_pool_id": None})()
        self._deadline_ms = int(fields.get("Lambda-Runtime-Deadline-Ms") or 0)

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        shown = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb", "function_version",
                 "invoked_function_arn", "client_context", "identity")
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in shown)}])"


class Fault(Exception):
    """An error of the runtime's own: its type, its message, and what stack there is."""

    def __init__(self, kind, message, stack=()):
        super().__init__(message)
        self.kind, self.message, self.stack = kind, message, list(stack)


def stack_of(error):
    """Of the handler alone: the frames of this file are left out."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != SELF and "importlib" not in frame.filename]
    return traceback.format_list(frames)


def report(error):
    """What Lambda says of an error."""
    if isinstance(error, Fault):
        kind, message, stack = error.kind, error.message, error.stack
    else:
        kind, message, stack = type(error).__name__, str(error), stack_of(error)
    print(f"[ERROR] {kind}: {message}", *([" Traceback (most recent call last):"] if stack else []), *"".join(stack).splitlines(), sep="\n", flush=True)
    return kind, {"errorMessage": message, "errorType": kind, "stackTrace": stack}


def load(name):
    """The handler `folder/module.function`."""
    try:
        module_name, function = name.rsplit(".", 1)
    except ValueError:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)") from None
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}", stack_of(error)) from error
    except SyntaxError as error:
        where = [f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", where) from error
    try:
        return getattr(module, function)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'") from None


class Api:
    """The Lambda Runtime API, over one connection."""

    def __init__(self, endpoint):
        self.connection = http.client.HTTPConnection(endpoint)

    def next(self):
        """(fields, event)."""
        self.connection.request("GET", f"{API}/invocation/next")
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"no invocation: {answer.status} {content.decode(errors='replace')}")
        return answer.headers, content

    def post(self, path, content, kind=None):
        fields = {"Content-Type": "application/json"}
        if kind is not None:
            fields["Lambda-Runtime-Function-Error-Type"] = kind
        self.connection.request("POST", f"{API}/{path}", content, fields)
        self.connection.getresponse().read()


class RequestIds(logging.Filter):
    """Puts the id of the invocation into each record of the log."""

    current = ""

    def filter(self, record):
        record.aws_request_id = RequestIds.current
        return True


def set_up_log():
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIds())
    logging.getLogger().addHandler(handler)


def encode(response):
    try:
        return json.dumps(response).encode()
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def decode(event):
    try:
        return json.loads(event)
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def invoke(api, handler):
    fields, event = api.next()
    context = Context(fields)
    RequestIds.current = context.aws_request_id
    os.environ["_X_AMZN_TRACE_ID"] = fields.get("Lambda-Runtime-Trace-Id") or ""
    try:
        content, path, kind = encode(handler(decode(event), context)), "response", None
    except Exception as error:
        kind, said = report(error)
        content, path = json.dumps({**said, "requestId": context.aws_request_id}).encode(), "error"
    sys.stdout.flush()
    api.post(f"invocation/{context.aws_request_id}/{path}", content, kind)


def main():
    sys.stdout.reconfigure(line_buffering=True)
    os.environ["AWS_EXECUTION_ENV"] = f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}"
    # The folder of the code in the place of the current one, which has the same name and could be changed.
    sys.path[0:1] = [os.environ["LAMBDA_TASK_ROOT"]]
    set_up_log()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        kind, said = report(error)
        api.post("init/error", json.dumps(said).encode(), kind)
        sys.exit(1)
    while True:
        invoke(api, handler)


main()
