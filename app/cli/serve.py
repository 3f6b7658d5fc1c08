"""`liangli serve`: starts the service in the background. In the foreground it is run by `app.main` itself."""

from __future__ import annotations

import argparse

from app.cli.connection import connect
from app.cli.screen import print_json
from app.values import Language
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"cli.serve.{name}", language)

    parser = subparsers.add_parser("serve", help=say("help"), description=say("help"))
    parser.add_argument("--port", type=int, metavar="N", help=say("port"))
    parser.add_argument("--token", help=say("token"))
    parser.add_argument("--no-daemon", action="store_true", help=say("no_daemon"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """Start the service and return when it answers; one that runs already is left as it is."""
    options = [*(("--port", str(args.port)) if args.port is not None else ())]
    options += ["--token", args.token] if args.token else []
    with connect(args.language, options) as client:
        status = client.status()
        facts = {"base_url": client.base_url, "token": client.token, "service_pid": status.pid}
    if args.json:
        print_json(facts)
    else:
        print(text("cli.serve.ready", args.language, pid=status.pid, base_url=client.base_url, token=client.token))
    return 0
