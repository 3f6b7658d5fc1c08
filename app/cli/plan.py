"""`liangli plan`: what a model would take on this computer, or on one that the user thinks of. Needs no service."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from app import paths
from app.cli.screen import has_colours, note, print_json
from app.errors import WishInvalid
from app.values import Language
from resources.wording import text

if TYPE_CHECKING:
    from app.plan_values import Plans, PlanWish

KV_TYPES = ("f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"cli.plan.{name}", language)

    parser = subparsers.add_parser("plan", help=say("help"))
    parser.add_argument("model", metavar=say("model"), help=say("model_help"))
    parser.add_argument("--ctx", type=int, metavar="N", help=say("ctx"))
    parser.add_argument("--parallel", type=int, metavar="N", help=say("parallel"))
    parser.add_argument("--kv", choices=KV_TYPES, help=say("kv"))
    parser.add_argument("--flash-attention", choices=("on", "off"), help=say("flash_attention"))
    parser.add_argument("--batch", type=int, metavar="N", help=say("batch"))
    parser.add_argument("--gpu-layers", type=int, metavar="N", help=say("gpu_layers"))
    parser.add_argument("--threads", type=int, metavar="N", help=say("threads"))
    parser.add_argument("--mmap", choices=("on", "off"), help=say("mmap"))
    parser.add_argument("--gpu", action="append", default=[], metavar="NAME", help=say("gpu"))
    parser.add_argument("--ram", default="", metavar="16G", help=say("ram"))
    parser.add_argument("--projector", default="", metavar="FILE", help=say("projector"))
    parser.add_argument("--draft", default="", metavar="FILE", help=say("draft"))
    parser.add_argument("--all", action="store_true", help=say("all"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    # Imported here: every other command would pay for it.
    import asyncio

    from app.cli.plan_text import lines
    from app.engine_choice.command import choose_engine

    choose_engine()
    plans = asyncio.run(_plans(args.model, _wish(args), args.language))
    if args.json:
        print_json(asdict(plans))
        return 0
    for line in lines(plans, args.language, everything=args.all, colours=has_colours(sys.stdout)):
        print(line)
    return 0


async def _plans(model: str, wish: PlanWish, language: Language) -> Plans:
    from app.local_models import kept_library
    from app.planning.desk import PlanDesk
    from app.planning.finder import Finder
    from app.planning.plans import Planner

    library = kept_library()
    desk = PlanDesk(models_folder=library.folder, planning_folder=paths.planning_folder())
    finder = Finder(
        installed=library.models,
        local=desk.models,
        cache_folder=desk.cache_folder,
        families_folder=paths.families_folder(),
        listings_folder=desk.listings_folder,
    )
    try:
        waiting = text("cli.plan.fetching", language)
        return await Planner(desk, lambda: finder).plans(model, wish, on_wait=lambda: note(waiting))
    finally:
        await desk.close()


def _wish(args: argparse.Namespace) -> PlanWish:
    from app.plan_values import PlanWish

    for name in ("ctx", "parallel", "batch", "threads"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise WishInvalid(name=f"--{name}", value=str(value))
    return PlanWish(
        context=args.ctx,
        parallel=args.parallel,
        kv=args.kv,
        flash_attention=None if args.flash_attention is None else args.flash_attention == "on",
        batch=args.batch,
        gpu_layers=args.gpu_layers,
        threads=args.threads,
        mmap=None if args.mmap is None else args.mmap == "on",
        gpus=tuple(args.gpu),
        ram=args.ram,
        projector=args.projector,
        draft=args.draft,
    )
