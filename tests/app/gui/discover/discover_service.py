"""A service with a small catalogue and a queue of downloads, in the test's own process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.catalogue_values import (
    BothLanguages,
    CatalogueDetail,
    CatalogueFit,
    CatalogueFound,
    CatalogueModel,
    CatalogueQuery,
    CatalogueSource,
    CatalogueUpdate,
)
from app.download_values import DownloadStatus
from app.errors import AppError, RemoteError
from tests.app.gui.fake_service import SECOND_MODEL, FakeService

GB = 1_000_000_000
ALIBABA, DEEPSEEK, ZHIPU, MIANBI = (
    BothLanguages(zh="阿里巴巴", en="Alibaba"),
    BothLanguages(zh="深度求索", en="DeepSeek"),
    BothLanguages(zh="智谱 AI", en="Zhipu AI"),
    BothLanguages(zh="面壁智能", en="ModelBest"),
)
APACHE, MIT = BothLanguages(zh="Apache 2.0", en="Apache 2.0"), BothLanguages(zh="MIT", en="MIT")
CHATGLM = BothLanguages(zh="ChatGLM 模型许可", en="ChatGLM Model Licence")


def model(model_id: str, zh: str, billions: float, vendor: BothLanguages = ALIBABA, **what: object) -> CatalogueModel:
    """A model with the fields that a test does not care about filled in."""
    plain = CatalogueModel(
        id=model_id,
        family=model_id.split("-")[0],
        name=BothLanguages(zh=zh, en=zh.split(" ")[-1]),
        vendor=vendor,
        total_parameters=int(billions * 1e9),
        active_parameters=None,
        context_tokens=40_960,
        licence=APACHE,
        commercial="yes",
        abilities=("chat", "thinking", "tools"),
        state="ready",
        reason=None,
        successor=None,
        confirmed=True,
        own=False,
        plannable=True,
        local=(),
    )
    return replace(plain, **what)  # type: ignore[arg-type]


MODELS = (
    model("qwen3-8b", "通义千问 Qwen3-8B", 8.2),
    model("qwen3-32b", "通义千问 Qwen3-32B", 32.8),
    model("qwen3-30b-a3b", "通义千问 Qwen3-30B-A3B-Instruct-2507", 30.5, active_parameters=3_300_000_000),
    model(
        "qwen2.5-coder-1.5b",
        "通义千问 Qwen2.5-Coder-1.5B",
        1.5,
        abilities=("chat", "code"),
        local=(SECOND_MODEL.id,),
    ),
    model("r1-14b", "深度求索 DeepSeek-R1-Distill-Qwen-14B", 14.8, DEEPSEEK, licence=MIT),
    model("glm4-9b", "智谱 GLM-4-9B", 9.4, ZHIPU, licence=CHATGLM, commercial="form"),
    model("minicpm4-0.5b", "面壁 MiniCPM4-0.5B", 0.43, MIANBI, abilities=("chat",)),
    model("kimi-k2.6", "月之暗面 Kimi-K2.6", 1000, BothLanguages(zh="月之暗面", en="Moonshot AI"), plannable=False),
    model(
        "chatglm-6b",
        "智谱 ChatGLM-6B",
        6.2,
        ZHIPU,
        state="use_successor",
        successor="glm4-9b",
        plannable=False,
        commercial="form",
        reason=BothLanguages(zh="第一代无法转换成 GGUF，请用 GLM-4-9B。", en="It cannot be converted; use GLM-4-9B."),
    ),
    model(
        "qwen3-asr-0.6b",
        "通义千问 Qwen3-ASR-0.6B",
        0.6,
        state="not_supported",
        abilities=("audio",),
        plannable=False,
        reason=BothLanguages(zh="这是语音识别模型，量力还不能识别语音。", en="It recognises speech."),
    ),
    model("spark-x2", "讯飞 Spark-X2", 70, confirmed=False, plannable=False),
)


def fit(model_id: str, size: float, needed: float, verdict: str, speed: float, short: float = 0) -> CatalogueFit:
    """Sizes in GB, on a card of which 7.5 GB may be taken."""
    return CatalogueFit(
        model=model_id,
        quantization="Q4_K_M",
        size_bytes=int(size * GB),
        verdict=verdict,  # type: ignore[arg-type]
        needed_bytes=int(needed * GB),
        budget_bytes=int(7.5 * GB),
        short_bytes=int(short * GB),
        decode=(speed * 0.8, speed, speed * 1.2),
        context=8_192,
    )


FITS = {
    "qwen3-8b": fit("qwen3-8b", 5.03, 5.9, "fits", 42),
    "qwen3-32b": fit("qwen3-32b", 19.8, 23.6, "does_not_fit", 1.5, short=5.6),
    "qwen3-30b-a3b": fit("qwen3-30b-a3b", 18.6, 7.2, "partly_on_cpu", 19),
    "qwen2.5-coder-1.5b": fit("qwen2.5-coder-1.5b", 1.12, 1.6, "fits", 178),
    "r1-14b": fit("r1-14b", 8.99, 7.3, "tight", 9.2),
    "glm4-9b": fit("glm4-9b", 6.25, 6.6, "fits", 35),
    "minicpm4-0.5b": fit("minicpm4-0.5b", 0.46, 0.9, "fits", 310),
}


class DiscoverService(FakeService):
    """Knows all fits at once, unless `late_fits`; then a test sends them. downloads_now: the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.local_models.append(SECOND_MODEL)
        self.catalogue_models: tuple[CatalogueModel, ...] = MODELS
        self.known_fits: dict[str, CatalogueFit] = dict(FITS)
        self.late_fits = False
        self.catalogue_refusal: AppError | None = None
        self.download_refusal: AppError | None = None
        self.downloads_now: list[DownloadStatus] = []
        self.update = CatalogueUpdate(allowed=False, state="never", date="2026-11-20")

    def catalogue(self, query: CatalogueQuery) -> CatalogueFound:
        self._note("catalogue", query)
        if self.catalogue_refusal is not None:
            raise self.catalogue_refusal
        wanted = query.text.casefold()
        found = [
            one
            for one in self.catalogue_models
            if wanted in f"{one.id} {one.name.zh}".casefold()
            and set(query.abilities) <= set(one.abilities)
            and (query.max_parameters is None or one.total_parameters <= query.max_parameters)
            and (query.min_parameters is None or one.total_parameters >= query.min_parameters)
            and (not query.commercial or one.commercial == "yes")
        ]
        shown = tuple(one for one in found if one.confirmed or query.unconfirmed)
        return CatalogueFound(
            models=shown, hidden=len(found) - len(shown), problems=(), date="2026-11-20", updated=False
        )

    def catalogue_model(self, model: str) -> CatalogueDetail:
        self._note("detail", model)
        known = next((one for one in self.catalogue_models if one.id == model), None)
        if known is None:
            raise RemoteError(code="CatalogueModelUnknown", fields={"name": model, "candidates": []}, http_status=404)
        return CatalogueDetail(
            model=known,
            family=BothLanguages(zh="通义千问 Qwen3", en="Qwen3"),
            about=BothLanguages(zh="用得最广的一代，可以随时开关思考。", en="The most widely used generation."),
            licence_terms=BothLanguages(zh="可以商用、修改和再分发，保留声明即可。", en="Commercial use is allowed."),
            note=None,
            architecture="qwen3",
            sources=(
                _source("modelscope", "Qwen/Qwen3-8B-GGUF", True),
                _source("huggingface", "Qwen/Qwen3-8B-GGUF", True),
                _source("huggingface", "unsloth/Qwen3-8B-GGUF", False),
            ),
            original=(_source("modelscope", "Qwen/Qwen3-8B", True),),
        )

    def catalogue_fits(self, models: Sequence[str]) -> list[CatalogueFit]:
        self._note("fits", tuple(models))
        return [] if self.late_fits else [self.known_fits[one] for one in models if one in self.known_fits]

    def catalogue_update(self) -> CatalogueUpdate:
        return self.update

    def check_catalogue(self) -> CatalogueUpdate:
        self._note("check_catalogue")
        self.update = replace(self.update, allowed=True, state="current")
        return self.update

    def downloads(self) -> list[DownloadStatus]:
        return self.downloads_now

    def add_download(
        self, model: str, sources: Sequence[str] = (), endpoints: Mapping[str, str] | None = None
    ) -> DownloadStatus:
        self._note("add_download", (model, tuple(sources)))
        if self.download_refusal is not None:
            raise self.download_refusal
        return status(model, state="queued", received_bytes=0)

    def pause_download(self, download_id: str) -> DownloadStatus:
        self._note("pause_download", download_id)
        return status("glm4-9b:Q4_K_M", state="paused")

    def resume_download(self, download_id: str) -> DownloadStatus:
        self._note("resume_download", download_id)
        return status("glm4-9b:Q4_K_M")

    def cancel_download(self, download_id: str) -> None:
        self._note("cancel_download", download_id)


def status(name: str, **what: object) -> DownloadStatus:
    """A download that is two thirds done."""
    plain = DownloadStatus(
        id="d1",
        model=name,
        name=name.partition(":")[0],
        quantization="Q4_K_M",
        state="transferring",
        received_bytes=3_937_500_000,
        total_bytes=6_250_000_000,
        bytes_per_second=28_900_000.0,
        remaining_seconds=80.0,
        source="ModelScope",
        connections=4,
    )
    return replace(plain, **what)  # type: ignore[arg-type]


def _source(hub: str, repository: str, confirmed: bool) -> CatalogueSource:
    host = "https://www.modelscope.cn/models" if hub == "modelscope" else "https://huggingface.co"
    return CatalogueSource(
        hub=hub, repository=repository, revision="", address=f"{host}/{repository}", confirmed=confirmed
    )
