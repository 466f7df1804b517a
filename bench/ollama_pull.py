"""`ollama pull` as one command: a server of its own over a folder, one pull, and its end. Arguments: PROGRAM FOLDER MODEL."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

DEADLINE = 600


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_answer(url):
    give_up = time.monotonic() + DEADLINE
    while True:
        try:
            return urllib.request.urlopen(url, timeout=DEADLINE).close()
        except urllib.error.URLError:
            if time.monotonic() > give_up:
                raise SystemExit("ollama does not answer") from None
            time.sleep(0.005)


def main(program, folder, model):
    host = f"127.0.0.1:{free_port()}"
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "OLLAMA_MODELS": f"{folder}/models", "OLLAMA_HOST": host}
    server = subprocess.Popen([program, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_answer(f"http://{host}/")
        return subprocess.run([program, "pull", "--insecure", model], env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=DEADLINE).returncode
    finally:
        server.terminate()
        server.wait(DEADLINE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
