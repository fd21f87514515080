"""`weir demo`: starts by itself, says what to try, does what it says, ends on SIGINT."""

import json
import pathlib
import re
import signal
import ssl
import subprocess
import threading

from weir_e2e import BINARY, SCALE, curl, dig, stop_process, wait_for, weir


class Demo:
    def __init__(self, folder):
        self.process = subprocess.Popen([BINARY, "demo"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace")
        self.lines = []
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self):
        return "\n".join(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_process(self.process, signal.SIGKILL)


def test_the_demo_does_what_it_says(tmp_path):
    with Demo(tmp_path) as demo:
        wait_for(lambda: re.search(r"\bcurl\b.*http://\S+", demo.text) and re.search(r"\bdig\b.*-p ?\d+", demo.text), 20,
                 "what to try with curl and dig")
        url = re.search(r"\bcurl\b.*?(http://[^\s'\"]+)", demo.text).group(1)
        wait_for(lambda: curl("-o", "/dev/null", "-w", "%{http_code}", url).stdout == "200", 10, f"200 from {url}")
        port = int(re.search(r"\bdig\b.*-p ?(\d+)", demo.text).group(1))
        name = next(word for word in re.search(r"\bdig\b(.*)", demo.text).group(1).split() if re.fullmatch(r"[\w.-]+\.[a-z]+\.?", word)
                    and not word.startswith("@"))
        wait_for(lambda: dig(port, name, "A").values, 10, f"an answer for {name}")
        demo.process.send_signal(signal.SIGINT)
        try:
            demo.process.wait(10 * SCALE)
        except subprocess.TimeoutExpired:
            demo.process.send_signal(signal.SIGINT)
            demo.process.wait(10 * SCALE)
        assert demo.process.returncode in (0, 130), demo.text


def test_the_demo_speaks_https_and_http2(tmp_path):
    with Demo(tmp_path) as demo:
        found = wait_for(lambda: re.search(r"curl -k --http2 (https://\S+)", demo.text), 20, "what to try with https")
        wait_for(lambda: "hello from" in curl("-sk", found.group(1)).stdout, 10, "an answer by HTTPS")
        assert curl("-k", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", found.group(1)).stdout == "2 200"
        port = int(found.group(1).rstrip("/").rpartition(":")[2])
        certificate = ssl.get_server_certificate(("127.0.0.1", port))
        (tmp_path / "demo.pem").write_text(certificate)
        assert curl("-s", "--cacert", str(tmp_path / "demo.pem"), f"https://localhost:{port}/").stdout.startswith("hello from")
        shown = weir("status", "--json", "--admin", re.search(r"admin API +http://(\S+)", demo.text).group(1)).stdout
        pem = pathlib.Path(json.loads(shown)["load-balancers"][0]["listeners"][1]["certificates"][0]["certificate"])
        assert pem.with_suffix(".key").stat().st_mode & 0o777 == 0o600 and pem.parent.stat().st_mode & 0o777 == 0o700
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(10 * SCALE)
        assert not pem.parent.exists()


def test_both_colours_answer_in_the_demo(tmp_path):
    with Demo(tmp_path) as demo:
        wait_for(lambda: re.search(r"\bcurl\b.*http://\S+", demo.text), 20, "what to try with curl")
        url = re.search(r"\bcurl\b.*?(http://[^\s'\"]+)", demo.text).group(1)
        wait_for(lambda: curl(url).returncode == 0, 10)
        seen = set()

        def both():
            seen.update(word for word in ("blue", "green") if word in curl("-i", url).stdout.lower())
            return seen == {"blue", "green"}
        wait_for(both, 20, "answers of blue and of green")
