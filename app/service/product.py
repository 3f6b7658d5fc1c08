"""What the service reaches beyond itself in the product: real engines, planner, disk and network."""

from __future__ import annotations

from app import paths
from app.local_models import open_library
from app.planning.desk import PlanDesk
from app.service.downloads.from_peers import DownloadFromPeers
from app.service.downloads.remembered import RememberedDownload
from app.service.downloads.starter import StarterDownload
from app.service.engine_choice import ChosenEngine
from app.service.engines.interface import AnswerFigures
from app.service.engines.plan_maker import PlanMaker
from app.service.engines.residuals import ResidualBook
from app.service.kept_settings import KeptSettings
from app.service.service import Outside
from app.service.shelf import LocalShelf
from hardware_probe.probe import probe_memory
from inference.plan_worker.client import PlanWorker


def product(settings: KeptSettings, engine: ChosenEngine, worker: PlanWorker) -> Outside:
    """The real engines, disk and network."""
    library = open_library(lambda: settings.now, lambda path: desk.models.read(path, keep_header=True))

    desk = PlanDesk(
        models_folder=library.folder,
        planning_folder=paths.planning_folder(),
        worker=worker,
        before_look=engine.tried,
        engine_issues=engine.choice.issues,
    )
    engine.follow(settings, desk.engine_changed)
    download = DownloadFromPeers(RememberedDownload(library), lambda: settings.now.lan_peers)
    residuals = ResidualBook(paths.planning_folder() / "residuals.json")
    return Outside(
        start_engine=engine,
        make_plan=PlanMaker(desk, residuals),
        desk=desk,
        shelf=LocalShelf(library),
        fetch=StarterDownload(download, lambda: settings.now),
        download=download,
        available_bytes=lambda: probe_memory().available_bytes,
        on_measured=residuals.observe,
        on_answer=lambda figures: _learn(desk, figures),
    )


def _learn(desk: PlanDesk, figures: AnswerFigures) -> None:
    if figures.alone:
        desk.experience.answered(
            figures.planned.plan.model_path,
            figures.architecture,
            prompt=(figures.prompt_tokens, figures.prefill_seconds),
            completion=(figures.completion_tokens, figures.decode_seconds),
            depth_tokens=figures.depth_tokens,
            unevenness=figures.unevenness,
        )
