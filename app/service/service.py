"""The service put together: every owner made once, wired to what it needs, opened and closed in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from app.errors import AppError
from app.paths import FAMILIES
from app.plan_values import PlanWish
from app.planning.desk import PlanDesk
from app.planning.plans import Planner
from app.service.api.admin_catalogue import catalogue_routes
from app.service.api.admin_chats import chats_routes
from app.service.api.admin_downloads import downloads_routes
from app.service.api.admin_engines import engines_routes
from app.service.api.admin_library import library_routes
from app.service.api.admin_plans import plans_routes
from app.service.api.admin_service import service_routes
from app.service.api.admin_share import share_routes
from app.service.api.admin_starter import starter_routes
from app.service.api.admin_templates import templates_routes
from app.service.api.openai_chat import chat_routes
from app.service.api.openai_models import model_routes
from app.service.api.openai_text import text_routes
from app.service.application import application
from app.service.catalogue import Catalogue
from app.service.catalogue_fits import CatalogueFits
from app.service.catalogue_updates import CatalogueUpdates, CheckCatalogue, check_catalogue
from app.service.chats import store
from app.service.chats.chats import Chats
from app.service.chats.database import Database
from app.service.downloads.product import ProductFind, product_discard, product_download
from app.service.downloads.queue import Download, Downloads, Find
from app.service.engines.engines import Engines
from app.service.engines.interface import MakePlan, OnAnswer, OnMeasured, RunningEngine, StartEngine
from app.service.events import EventBus
from app.service.fetches import Fetch, Fetches
from app.service.hardware import Hardware
from app.service.kept_settings import KeptSettings
from app.service.lan_share import LanShare
from app.service.library import LocalLibrary, Shelf
from app.service.library_works import LibraryWorks, WorkShelf
from app.service.manners import Manners
from app.service.status import service_status
from app.service.template_reports import TemplateReports
from app.service.template_watch import TemplateWatch
from app.service.templates import Templates
from inference.errors import InferenceError
from inference.values import LoadPlan
from inference.worker.messages import MemoryReport
from models_catalog.errors import CatalogError

_USUAL_QUANTIZATION = "Q4_K_M"

if TYPE_CHECKING:
    from app.planning.finder import Finder


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the service reaches beyond itself: engine children, planner, disk, network, memory. Tests have their own.

    desk: where plans for faces are asked for; closed after everything else.
    """

    start_engine: StartEngine
    make_plan: MakePlan
    shelf: WorkShelf
    fetch: Fetch
    desk: PlanDesk
    available_bytes: Callable[[], int]
    find_downloads: Find | None = None
    check_catalogue: CheckCatalogue = check_catalogue
    download: Download = product_download
    on_measured: OnMeasured | None = None
    on_answer: OnAnswer | None = None


class Service:
    """Made and used on one event loop. `open` before the first request, `close` after the last."""

    def __init__(
        self, *, data_folder: Path, models_folder: Path, chats_file: Path, settings: KeptSettings, outside: Outside
    ) -> None:
        self._data_folder = data_folder
        self._desk = outside.desk
        self.planner = Planner(self._desk, lambda: _finder(self._desk, outside.shelf, data_folder))
        self._last_model = ""
        self.settings = settings
        self.events = EventBus()
        self.hardware = Hardware(self._desk, self.events)
        self.library = LocalLibrary(outside.shelf, lambda: (settings.now.default_model, self._last_model))
        self.engines = Engines(
            library=self.library,
            start_engine=_awaited(outside.start_engine, outside.desk),
            make_plan=outside.make_plan,
            default_context_tokens=lambda: settings.now.context_tokens or None,
            available_bytes=outside.available_bytes,
            events=self.events,
            chat_profile_of=lambda model_id: settings.now.chat_profiles.get(model_id),
            manner_of=lambda model: self.manners.of(model),
            on_measured=outside.on_measured,
            on_answer=outside.on_answer,
        )
        self.catalogue = Catalogue(
            families_folder=data_folder / FAMILIES,
            library=self.library,
            files=self._desk.models,
            fits=CatalogueFits(desk=self._desk, events=self.events),
            updates=CatalogueUpdates(
                folder=data_folder / FAMILIES,
                state_file=data_folder / "catalogue_check.json",
                settings=settings,
                check=outside.check_catalogue,
            ),
            events=self.events,
        )
        reports = TemplateReports(data_folder / "templates.json")
        self.manners = Manners(self.catalogue.recognise, reports)
        self.templates = Templates(reports, self.manners.of)
        self._template_watch = TemplateWatch(
            library=self.library,
            templates=self.templates,
            events=self.events,
            busy=lambda: self.engines.at_work,
        )
        self.database = Database(chats_file)
        self.chats = Chats(self.database, self.engines, self.events)
        self.fetches = Fetches(
            models_folder=models_folder,
            fetch=outside.fetch,
            available_bytes=outside.available_bytes,
            events=self.events,
        )
        self._models_folder = models_folder
        self.downloads = Downloads(
            models_folder=lambda: self._models_folder,
            queue_file=data_folder / "downloads.json",
            settings=lambda: settings.now,
            events=self.events,
            find=outside.find_downloads or ProductFind(data_folder / FAMILIES, self._desk.listings_folder),
            download=outside.download,
            discard=product_discard,
            best=self._best_quantization,
        )
        self.lan_share = LanShare(settings=settings, models=outside.shelf.models, code_file=data_folder / "lan_code")
        self.library_works = LibraryWorks(
            shelf=outside.shelf,
            engines=self.engines,
            settings=settings,
            events=self.events,
            on_moved=self._use_models_folder,
            without_downloads=self.downloads.held,
        )

    async def open(self) -> None:
        """Open the chats; answers that an earlier end of the service cut off are marked. Raises DatabaseNewer."""
        await self.database.open()
        await self.database.run(store.interrupt_unfinished)
        self._last_model = await self.database.run(store.last_model)
        self.library_works.finish_move()
        await self.downloads.open()
        self._template_watch.open()
        await self.lan_share.open()

    async def close(self) -> None:
        """End answers (as interrupted), downloads and engines, in this order, and close the chats."""
        self.events.publish("bye", {})
        await self.chats.close()
        self.events.close()
        await self._template_watch.close()
        await self.fetches.close()
        await self.downloads.close()
        await self.lan_share.close()
        await self.library_works.close()
        await self.engines.close()
        await self.catalogue.close()
        await self.hardware.close()
        await self._desk.close()
        await self.database.close()

    def application(self, *, port: int, token: str, shut_down: Callable[[], None]) -> ASGIApp:
        """The HTTP side. shut_down: asks the server to end; called when a face wants it."""
        base_url = f"http://127.0.0.1:{port}"
        return application(
            openai=(
                model_routes(self.library, self.engines, self.manners),
                chat_routes(self.engines),
                text_routes(self.engines),
            ),
            admin=(
                service_routes(
                    status=lambda: service_status(
                        base_url=base_url, data_folder=self._data_folder, engines=self.engines
                    ),
                    shut_down=shut_down,
                    settings=self.settings,
                    events=self.events,
                ),
                engines_routes(self.engines),
                library_routes(self.library, self.library_works, self.engines, self.events),
                templates_routes(self.library, self.templates),
                chats_routes(self.chats),
                starter_routes(self.fetches),
                downloads_routes(self.downloads),
                share_routes(self.lan_share),
                catalogue_routes(self.catalogue),
                plans_routes(self.planner, self.hardware, self.engines),
            ),
            token=token,
            port=port,
            allowed_origins=lambda: self.settings.now.allowed_origins,
        )

    async def _best_quantization(self, model: str) -> str:
        """What the planner would take of a model; where it has no answer, what suits most computers."""
        try:
            plans = await self.planner.plans(model, PlanWish(), with_advice=False)
        except (AppError, CatalogError, InferenceError):
            return _USUAL_QUANTIZATION
        return plans.quantizations[plans.best].name if plans.best is not None else ""

    def _use_models_folder(self, folder: Path) -> None:
        self._models_folder = folder
        self.fetches.use_folder(folder)
        self._desk.use_folder(folder)


def _awaited(start_engine: StartEngine, desk: PlanDesk) -> StartEngine:
    """As `start_engine`; meanwhile nothing is planned in the background."""

    async def start(
        plan: LoadPlan,
        *,
        on_progress: Callable[[float], None] | None = None,
        on_memory: Callable[[MemoryReport], None] | None = None,
    ) -> RunningEngine:
        with desk.awaited():
            return await start_engine(plan, on_progress=on_progress, on_memory=on_memory)

    return start


def _finder(desk: PlanDesk, shelf: Shelf, data_folder: Path) -> Finder:
    # Imported when it is needed: the hubs and the catalogue.
    from app.planning.finder import Finder

    return Finder(
        installed=shelf.models,
        local=desk.models,
        cache_folder=desk.cache_folder,
        families_folder=data_folder / FAMILIES,
        listings_folder=desk.listings_folder,
    )
