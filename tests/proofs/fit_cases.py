"""What is placed on what in the comparison with llama.cpp's fitter."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """model, quantization: of models_catalog.plan_library. budget_gib: of each card; they are alike."""

    model: str
    quantization: str
    budget_gib: tuple[float, ...]
    context_tokens: int = 8192

    @property
    def name(self) -> str:
        budgets = "+".join(f"{budget:g}" for budget in self.budget_gib)
        return f"{self.model} {self.quantization} {self.context_tokens} on {budgets} GiB"

    @property
    def budgets(self) -> dict[str, int]:
        return {f"CUDA{number}": int(budget * GIB) for number, budget in enumerate(self.budget_gib)}


CASES = tuple(
    Case(model=model, quantization=quantization, budget_gib=budget)
    for model, quantization, budgets in (
        ("qwen3-8b", "Q4_K_M", ((3.0,), (5.0,), (7.0,), (3.0, 3.0))),
        ("qwen2.5-14b-instruct", "Q4_K_M", ((5.0,), (7.0,), (11.0,), (5.0, 7.0))),
        ("qwen2.5-32b-instruct", "Q4_K_M", ((7.0,), (15.0,), (23.0,), (11.0, 11.0))),
        ("qwen2.5-72b-instruct", "Q4_K_M", ((23.0,), (23.0, 23.0))),
        ("qwen3-30b-a3b", "Q4_K_M", ((5.0,), (7.0,), (11.0,), (15.0,), (6.0, 8.0))),
        ("glm-4.5-air", "Q4_K_M", ((11.0,), (23.0,), (23.0, 23.0))),
        ("deepseek-v2-lite-chat", "Q4_K_M", ((4.0,), (7.0,))),
        ("deepseek-v3", "Q4_K_M", ((23.0,), (78.0,))),
        ("qwen3-next-80b-a3b-instruct", "Q4_K_M", ((11.0,), (23.0,))),
        ("gemma-3-4b-it", "Q4_K_M", ((2.0,), (3.0,))),
        ("rwkv7-g1-2.9b", "Q4_K_M", ((1.5,),)),
        ("llama-2-70b-chat", "Q4_K_M", ((23.0,), (15.0, 23.0))),
    )
    for budget in budgets
)
