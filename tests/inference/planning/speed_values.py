"""Machines and graphs of round numbers for tests of speed."""

from __future__ import annotations

from dataclasses import replace

from inference.planning.values import Device, DeviceSpeed, GraphCost, Host, Machine, Operation, Settings

GIB = 1024**3


def speed(
    *, read: float = 20e9, flops: float = 200e9, origin: str = "table", spread: float = 0.3, link: float | None = None
) -> DeviceSpeed:
    return DeviceSpeed(
        read_bytes_per_second={"": read},
        flops_per_second={"": flops},
        kv_read_bytes_per_second={"": read / 4},
        node_seconds=0.0,
        split_seconds=0.0,
        link_bytes_per_second=link,
        origin=origin,  # type: ignore[arg-type]
        spread=spread,
    )


CPU = speed()
GPU = speed(read=400e9, flops=40e12, link=20e9)


def machine(*devices: str, host: DeviceSpeed = CPU, gpu: DeviceSpeed = GPU) -> Machine:
    return Machine(
        host=Host(
            name="CPU",
            total_bytes=32 * GIB,
            free_bytes=24 * GIB,
            reserve_bytes=GIB,
            decode_threads=4,
            batch_threads=4,
            threads_reason="",
            repack=True,
            speed=host,
            disk_bytes_per_second=1e9,
        ),
        devices=tuple(
            Device(
                name=name,
                description=name,
                kind="discrete",
                total_bytes=24 * GIB,
                free_bytes=24 * GIB,
                reserve_bytes=GIB,
                shares_host_memory=False,
                speed=gpu,
            )
            for name in devices
        ),
    )


def graph(tokens: int, *, layers: int = 4, experts: bool = False, context: int = 4096) -> GraphCost:
    """Each layer: 40 MB of attention weights, 60 MB of feed-forward weights (or of experts), keys of 4096 cells."""
    operations = []
    for layer in range(layers):
        ffn = Operation(
            layer=layer,
            kind="experts" if experts else "weights",
            part="experts" if experts else "ffn",
            weight_type="Q4_K",
            read_bytes=60e6,
            flops=2 * 100e6 * tokens,
            nodes=10,
        )
        operations += [
            ffn,
            replace(ffn, kind="weights", part="attention", read_bytes=40e6, flops=2 * 70e6 * tokens),
            Operation(
                layer=layer,
                kind="attention",
                part="attention",
                weight_type="",
                read_bytes=8e6,
                flops=1e6 * tokens,
                nodes=5,
                cells=context,
            ),
        ]
    return GraphCost(tokens=tokens, context_tokens=context, operations=tuple(operations))


SETTINGS = Settings(context_tokens=4096, sequences=1, batch_tokens=512, outputs_max=1)
