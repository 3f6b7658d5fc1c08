"""`liangli share`: models between the computers of one local network."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from app.cli.connection import connect
from app.values import Language, ShareStatus
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"hubs.share.{name}", language)

    parser = subparsers.add_parser("share", help=say("help"), description=say("about"))
    actions = parser.add_subparsers(dest="action", metavar=say("action"))
    for name in ("status", "on", "off"):
        actions.add_parser(name, help=say(f"{name}_help"))
    code = actions.add_parser("code", help=say("code_help"))
    code.add_argument("--new", action="store_true", help=say("new_help"))
    add = actions.add_parser("add", help=say("add_help"))
    add.add_argument("address", metavar=say("address"), help=say("address_help"))
    add.add_argument("code", metavar=say("code"), help=say("peer_code_help"))
    remove = actions.add_parser("remove", help=say("remove_help"))
    remove.add_argument("address", metavar=say("address"), help=say("address_help"))


def run(args: argparse.Namespace) -> int:
    with connect(args.language) as client:
        match args.action:
            case "on" | "off":
                client.update_settings(lan_share=args.action == "on")
                status = client.share_status()
            case "code":
                status = client.renew_share_code() if args.new else client.share_status()
                print(status.code)
                return 0
            case "add":
                status = client.add_share_peer(args.address, args.code)
            case "remove":
                status = client.remove_share_peer(args.address)
            case _:
                status = client.share_status()
    for line in lines(status, args.language):
        print(line)
    return 0


def lines(status: ShareStatus, language: Language) -> Iterator[str]:
    """What is shared where, how another computer gets at it, and which others are asked."""
    if not status.sharing:
        yield text("hubs.share.is_off", language)
    elif not status.addresses:
        yield text("hubs.share.no_network", language)
    else:
        yield text("hubs.share.is_on", language)
        for address in status.addresses:
            yield f"  liangli share add {address} {status.code}"
    if status.peers:
        yield text("hubs.share.peers", language, peers=("、" if language == "zh" else ", ").join(status.peers))
    else:
        yield text("hubs.share.no_peers", language)
