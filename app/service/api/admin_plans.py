"""Routes of the admin API for this computer's hardware and for memory plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Response

from app.plan_values import Plans, PlanWish
from app.planning.plans import Planner
from app.service.api.checked_body import CheckedFields, checked_dataclass, of_fields
from app.service.api.replies import json_reply
from app.service.engines.engines import Engines
from app.service.hardware import Hardware
from app.values import EngineStatus
from inference.values import HOST


@checked_dataclass
class PlansBody(CheckedFields, PlanWish):
    """POST /plans: a model, by whatever name, and what of its plan is fixed."""

    model: str
    advice: bool = True


def plans_routes(planner: Planner, hardware: Hardware, engines: Engines) -> APIRouter:
    """Everything under /plans and /hardware."""
    router = APIRouter()

    @router.post("/plans")
    async def plans(body: PlansBody) -> Response:
        found = await planner.plans(body.model, of_fields(PlanWish, body), with_advice=body.advice)
        return json_reply(found if found.hypothetical else _beside_measured(found, engines.statuses()))

    @router.get("/hardware")
    async def whole() -> Response:
        return json_reply(await hardware.view())

    @router.get("/hardware/live")
    async def live() -> Response:
        return json_reply(await hardware.live())

    @router.get("/hardware/calibrate")
    async def calibration() -> Response:
        return json_reply(hardware.calibration())

    @router.post("/hardware/calibrate")
    async def calibrate() -> Response:
        return json_reply(hardware.calibrate(), 202)

    @router.delete("/hardware/calibrate")
    async def cancel() -> Response:
        await hardware.cancel_calibration()
        return Response(status_code=204)

    return router


def _beside_measured(plans: Plans, statuses: Sequence[EngineStatus]) -> Plans:
    """With what the model holds in main memory, when it is loaded now."""
    held = next((one.private_bytes for one in statuses if one.model == plans.model and one.private_bytes), None)
    if held is None:
        return plans
    return replace(
        plans,
        quantizations=tuple(
            one
            if one.plan is None
            else replace(
                one,
                plan=replace(
                    one.plan,
                    devices=tuple(
                        replace(device, measured_bytes=held) if device.name == HOST else device
                        for device in one.plan.devices
                    ),
                ),
            )
            for one in plans.quantizations
        ),
    )
